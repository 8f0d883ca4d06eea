/**
 * The condition keys that a bucket policy may name (Service Authorization Reference, "Condition keys for Amazon S3"; IAM
 * User Guide, "AWS global condition context keys"), in lower case. Many are never there in a request to this server; but
 * one that nobody knows is a mistake, and a Deny with a mistake denies nothing.
 */
const S3 = `accessgrantsinstancearn accesspointnetworkorigin authtype dataaccesspointaccount dataaccesspointarn delimiter
  destinationregion existingjoboperation existingjobpriority if-match if-none-match inventoryaccessibleoptionalfields
  isreplicationpauserequest jobsuspendedcause locationconstraint max-keys object-lock-legal-hold object-lock-mode
  object-lock-remaining-retention-days object-lock-retain-until-date objectcreationoperation prefix requestjoboperation
  requestjobpriority requestobjecttagkeys resourceaccount signatureage signatureversion tlsversion versionid
  x-amz-acl x-amz-content-sha256 x-amz-copy-source x-amz-grant-full-control x-amz-grant-read x-amz-grant-read-acp
  x-amz-grant-write x-amz-grant-write-acp x-amz-metadata-directive x-amz-object-ownership x-amz-server-side-encryption
  x-amz-server-side-encryption-aws-kms-key-id x-amz-server-side-encryption-customer-algorithm x-amz-storage-class
  x-amz-website-redirect-location`;
const GLOBAL = `calledvia calledviafirst calledvialast currenttime ec2instancesourceprivateipv4 ec2instancesourcevpc
  epochtime federatedprovider multifactorauthage multifactorauthpresent principalaccount principalarn
  principalisawsservice principalorgid principalorgpaths principalservicename principalservicenameslist principaltype
  referer requestedregion resourceaccount resourceorgid resourceorgpaths securetransport sourceaccount sourcearn
  sourceidentity sourceip sourceorgid sourceorgpaths sourcevpc sourcevpce tagkeys tokenissuetime useragent userid
  username viaawsservice vpcsourceip`;
/** These go on with a tag's name. */
const TAGS: ReadonlySet<string> = new Set([
  's3:existingobjecttag',
  's3:requestobjecttag',
  's3:buckettag',
  'aws:principaltag',
  'aws:requesttag',
  'aws:resourcetag',
]);

const words = (text: string) => text.split(/\s+/);
const KNOWN: ReadonlySet<string> = new Set([
  ...words(S3).map((name) => `s3:${name}`),
  ...words(GLOBAL).map((name) => `aws:${name}`),
]);

/** @param key in lower case up to a tag's name. Keys of other services than S3 and AWS's global ones are not judged. */
export function isConditionKey(key: string): boolean {
  if (!/^(?:s3|aws):/.test(key)) return true;
  const slash = key.indexOf('/');
  if (slash === -1) return KNOWN.has(key);
  return TAGS.has(key.slice(0, slash));
}
