"""Which of the suite's tests belong together. The first row that matches decides; rows with a reason are not counted."""
import re

# group, pattern over "name marker marker ...", and why it is not counted (None: it is)
ROWS = [
    ("bucket logging", r"bucket_logging", "server access logging into buckets is not built"),
    ("SSE-KMS", r"sse_kms|enc_conflict_(c_kms|s3_kms|bad_enc_kms)|put_obj_s3_kms|put_obj_kms|encryption_kms", "there is no key service"),
    ("SSE-KMS", r"_enc\[\S*sse-kms", "there is no key service"),
    ("SSE-S3", r"_enc\[\S*sse-s3|sse_s3|bucket_encryption|encryption_s3|enc_conflict_c_s3|put_obj_s3_|transition_encrypted", "there is no key service"),
    ("Signature Version 2", r"_aws2\b|auth_aws2|presigned_\w+_v2\b", "superseded; AWS turned it off for new buckets"),
    ("cloud tier, restore", r"cloud_transition|cloud_restore|target_by_bucket|test_restore_|read_through", "one storage tier"),
    ("storage-class transition", r"lifecycle_transition|_transition\b", "one storage tier"),
    ("second tenant, IAM, STS", r"tenant|iam_account|iam_user|account_[sj]\b", "RGW's tenants; users and policies are managed by the command line"),
    ("RGW's own extension", r"account_usage|bucket_usage|unordered|head_extended|get_object_torrent|if_match_(last_modified_time|size)|delete_objects?_\w*if_match_(last|size)", "not part of AWS's S3 for general purpose buckets"),
    ("lifecycle execution", r"lifecycle_expiration|delete_marker_expiration|lifecycle_(deletemarker|multipart|noncur)_expiration", None),
    ("lifecycle config", r"test_lifecycle", None),
    ("object lock", r"object_lock", None),
    ("cors", r"cors", None),
    ("sse-c", r"sse_c|copy_enc|copy_part_enc|encrypted_transfer|encryption_key_no_sse_c", None),
    ("post-policy form", r"post_object", None),
    ("bucket policy", r"bucket_policy|bucketv2_policy|policy_status|policy_prefix", None),
    ("acl, ownership, public access", r"_acl|_access_|public_block|block_public|ignore_public|ownership|object_writer|owner_enforced|owner_preferred|test_access_", None),
    ("conditional", r"if_?(none|non)?_?match|if(un)?modifiedsince|conditional_write", None),
    ("versioning", r"version|delete_marker", None),
    ("checksums", r"checksum|cksum", None),
    ("multipart", r"multipart|attributes|upload_part_copy", None),
    ("tagging", r"tagging|_tags", None),
    ("atomicity", r"atomic|resend_first", None),
    ("copy", r"object_copy", None),
    ("listing", r"bucket_list(v2)?_|key_count|special_prefix|bucketv2?_notexist\b", None),
    ("auth, presigned, anonymous", r"raw_|anon|_auth|authenticated|presigned|expected_bucket_owner", None),
    ("headers, malformed requests", r"object_create_|bucket_create_bad_(?!naming)|bucket_create_contentlength|100_continue|bucket_put_bad", None),
    ("bucket life", r"bucket", None),
    ("object, range, delete, other", r".", None),
]


def group_of(name, markers):
    text = " ".join([name, *markers])
    for group, pattern, excluded in ROWS:
        if re.search(pattern, text):
            return group, excluded
    raise AssertionError("the last row matches everything")
