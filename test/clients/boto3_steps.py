"""What boto3 users do, run by boto3.test.ts; every check compares bytes. Arguments: endpoint, region, bucket, folder.

Prints one line per step that held and ends with "done"; an assertion that fails ends it with a traceback.
"""
import base64
import hashlib
import json
import os
import random
import sys
import zlib

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, region, bucket, folder = sys.argv[1:5]
# another S3 than ours need not keep checksums
strict = os.environ.get("TEST_S3_ENDPOINT") is None
MiB = 1024 * 1024
s3 = boto3.client(
    "s3",
    endpoint_url=endpoint,
    region_name=region,
    # this boto3 would presign with the signature version 2 that S3 no longer takes
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
)


def held(what):
    print(what, flush=True)


def content(seed, length):
    return random.Random(seed).randbytes(length)


def fails_with(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response["Error"]
        return
    raise AssertionError(f"{code} expected")


location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
s3.create_bucket(Bucket=bucket, **location)
assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
held("create_bucket")

config = TransferConfig(multipart_threshold=5 * MiB, multipart_chunksize=5 * MiB, max_concurrency=4)
for name, length in [("small", 3000), ("large", 17 * MiB + 1)]:
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(content(name, length))
    extra = {"Metadata": {"source": "boto3"}, "ContentType": "application/x-test"}
    s3.upload_file(path, bucket, name, Config=config, ExtraArgs=extra)
    s3.download_file(bucket, name, path + ".back", Config=config)
    with open(path + ".back", "rb") as f:
        assert f.read() == content(name, length), name
    head = s3.head_object(Bucket=bucket, Key=name)
    assert head["ContentLength"] == length and head["Metadata"] == {"source": "boto3"}
    assert head["ContentType"] == "application/x-test"
assert head["ETag"].endswith('-4"'), head["ETag"]
held("upload_file and download_file, in parts")

part = s3.get_object(Bucket=bucket, Key="large", Range=f"bytes={5 * MiB - 5}-{5 * MiB + 4}")
assert part["Body"].read() == content("large", 17 * MiB + 1)[5 * MiB - 5 : 5 * MiB + 5]
fails_with("InvalidRange", s3.get_object, Bucket=bucket, Key="small", Range="bytes=3000-")
fails_with("NoSuchKey", s3.get_object, Bucket=bucket, Key="nothing")
fails_with("NoSuchBucket", s3.list_objects_v2, Bucket=bucket + "-not")
held("ranges and errors")

keys = [f"page/{i:03} ä+%&" for i in range(25)]
for key in keys:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
# Ceph 16 leaves a v1 listing's NextMarker unencoded, and a plus sign in it is lost
for operation in ["list_objects_v2", "list_objects"] if strict else ["list_objects_v2"]:
    pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, Prefix="page/", PaginationConfig={"PageSize": 7}))
    assert [len(p["Contents"]) for p in pages] == [7, 7, 7, 4], operation
    assert [o["Key"] for p in pages for o in p["Contents"]] == keys, operation
top = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
assert [p["Prefix"] for p in top["CommonPrefixes"]] == ["page/"]
assert [o["Key"] for o in top["Contents"]] == ["large", "small"]
held("paginators")

s3.copy_object(Bucket=bucket, Key="copied", CopySource={"Bucket": bucket, "Key": keys[3]})
assert s3.get_object(Bucket=bucket, Key="copied")["Body"].read() == keys[3].encode()
s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "large-copied", Config=config)  # UploadPartCopy
assert s3.get_object(Bucket=bucket, Key="large-copied")["Body"].read() == content("large", 17 * MiB + 1)
held("copy_object, and copy in parts")

tags = {"TagSet": [{"Key": "team", "Value": "a b"}]}
s3.put_object_tagging(Bucket=bucket, Key="small", Tagging=tags)
assert s3.get_object_tagging(Bucket=bucket, Key="small")["TagSet"] == tags["TagSet"]
s3.delete_object_tagging(Bucket=bucket, Key="small")
assert s3.get_object_tagging(Bucket=bucket, Key="small")["TagSet"] == []
held("tagging")

if strict:
    body = content("sums", 100_001)
    expected = {
        "CRC32": zlib.crc32(body).to_bytes(4, "big"),
        "SHA1": hashlib.sha1(body).digest(),
        "SHA256": hashlib.sha256(body).digest(),
    }
    for algorithm, digest in expected.items():
        text = base64.b64encode(digest).decode()
        s3.put_object(Bucket=bucket, Key=f"sum/{algorithm}", Body=body, ChecksumAlgorithm=algorithm)
        head = s3.head_object(Bucket=bucket, Key=f"sum/{algorithm}", ChecksumMode="ENABLED")
        assert head["Checksum" + algorithm] == text, head
        s3.put_object(Bucket=bucket, Key=f"sum/{algorithm}", Body=body, **{"Checksum" + algorithm: text})
        wrong = {"Checksum" + algorithm: base64.b64encode(bytes(len(digest))).decode()}
        fails_with("BadDigest", s3.put_object, Bucket=bucket, Key="sum/wrong", Body=body, **wrong)
    fails_with("404", s3.head_object, Bucket=bucket, Key="sum/wrong")
    held("checksums")

cors = {"CORSRules": [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://example.com"], "MaxAgeSeconds": 60}]}
s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=cors)
assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == cors["CORSRules"]
s3.delete_bucket_cors(Bucket=bucket)
fails_with("NoSuchCORSConfiguration", s3.get_bucket_cors, Bucket=bucket)
held("cors")

if strict:
    secret = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes(range(32))}
    body = content("sealed", 6 * MiB)
    s3.put_object(Bucket=bucket, Key="sealed", Body=body, **secret)
    assert s3.get_object(Bucket=bucket, Key="sealed", **secret)["Body"].read() == body
    fails_with("InvalidRequest", s3.get_object, Bucket=bucket, Key="sealed")
    # a HEAD has no body to name an error in
    fails_with("400", s3.head_object, Bucket=bucket, Key="sealed")
    other = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes(32)}
    fails_with("InvalidRequest", s3.get_object, Bucket=bucket, Key="sealed", **other)
    held("SSE-C")

    locked = bucket + "-locked"
    s3.create_bucket(Bucket=locked, ObjectLockEnabledForBucket=True, **location)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket=locked, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    assert s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]["Rule"] == rule
    # object lock asks for a digest of the body, which boto3 adds
    version = s3.put_object(Bucket=locked, Key="kept", Body=b"kept")["VersionId"]
    assert s3.get_object_retention(Bucket=locked, Key="kept")["Retention"]["Mode"] == "GOVERNANCE"
    fails_with("AccessDenied", s3.delete_object, Bucket=locked, Key="kept", VersionId=version)
    s3.put_object_legal_hold(Bucket=locked, Key="kept", LegalHold={"Status": "ON"})
    bypass = {"VersionId": version, "BypassGovernanceRetention": True}
    fails_with("AccessDenied", s3.delete_object, Bucket=locked, Key="kept", **bypass)
    s3.put_object_legal_hold(Bucket=locked, Key="kept", LegalHold={"Status": "OFF"})
    marker = s3.delete_object(Bucket=locked, Key="kept")
    assert marker["DeleteMarker"] is True
    listed = s3.list_object_versions(Bucket=locked)
    assert [v["VersionId"] for v in listed["Versions"]] == [version]
    assert [m["VersionId"] for m in listed["DeleteMarkers"]] == [marker["VersionId"]]
    s3.delete_object(Bucket=locked, Key="kept", **bypass)
    s3.delete_object(Bucket=locked, Key="kept", VersionId=marker["VersionId"])
    s3.delete_bucket(Bucket=locked)
    held("object lock and versions")

url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": keys[0]}, ExpiresIn=60)
print("url " + json.dumps([url, keys[0]]), flush=True)

everything = [o["Key"] for p in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket) for o in p.get("Contents", [])]
everything.remove(keys[0])  # the presigned one is still to be fetched
answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in everything]})
assert "Errors" not in answer and sorted(d["Key"] for d in answer["Deleted"]) == sorted(everything)
fails_with("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [keys[0]]
held("delete_objects")
print("done")
