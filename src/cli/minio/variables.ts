/** What the product does not have, by the variables that ask for it. A prefix counts for everything below it. */
export const refusedVariables: readonly (readonly [prefix: string, what: string])[] = [
  ['MINIO_IDENTITY_', 'sign-in through an identity provider is not supported'],
  ['MINIO_KMS_', 'server-side encryption with a key service is not supported'],
  ['MINIO_NOTIFY_', 'bucket notifications are not supported'],
  ['MINIO_STORAGE_CLASS_', 'erasure coding is not supported: one directory, as durable as its disk'],
  ['MINIO_ERASURE_', 'erasure coding is not supported: one directory, as durable as its disk'],
  ['MINIO_POLICY_', 'external policy services are not supported'],
  ['MINIO_AUDIT_', 'audit targets are not supported; requests are counted at /metrics of the admin port'],
  ['MINIO_LOGGER_', 'log targets are not supported; the log is JSON lines on standard error'],
  ['MINIO_COMPRESSION_', 'compression is not supported'],
  ['MINIO_CACHE_', 'caching in front of other storage is not supported'],
  ['MINIO_ETCD_', 'etcd is not supported: one server, one directory'],
  ['MINIO_LAMBDA_', 'object lambdas are not supported'],
  ['MINIO_SUBNET_', 'SUBNET registration is not supported'],
  ['MINIO_ACCESS_KEY_OLD', 'the format of old MinIO data is not read'],
  ['MINIO_CONFIG_ENV_FILE', 'a file of variables is not read; put them into the environment'],
  ['MINIO_CERT_PASSWD', 'TLS is not supported; put a proxy in front'],
  ['MINIO_OPTS', 'put the options behind `server` on the command line'],
];

/** Prefixes of what changes nothing that clients can see; ignored, and said once. */
export const harmlessVariables: readonly string[] = [
  'MINIO_BROWSER',
  'MINIO_PROMETHEUS_',
  'MINIO_UPDATE',
  'MINIO_SERVER_URL',
  'MINIO_API_',
  'MINIO_SCANNER_',
  'MINIO_HEAL_',
  'MINIO_CALLHOME_',
  'MINIO_CI_CD',
  'MINIO_SKIP_CLIENT',
  'MINIO_FORCE_NEW_KEYS',
  'MINIO_LOG_',
];

/** Options of `minio server` that change nothing here; whether a value follows. */
export const harmlessOptions: ReadonlyMap<string, 'flag' | 'value'> = new Map([
  ['quiet', 'flag'],
  ['json', 'flag'],
  ['anonymous', 'flag'],
  ['compat', 'flag'],
  ['no-compat', 'flag'],
  ['pre-allocate', 'value'],
  ['idle-timeout', 'value'],
  ['read-header-timeout', 'value'],
  ['shutdown-timeout', 'value'],
  ['conn-read-deadline', 'value'],
  ['conn-write-deadline', 'value'],
  ['conn-client-read-deadline', 'value'],
  ['conn-client-write-deadline', 'value'],
  ['conn-user-timeout', 'value'],
  ['send-buf-size', 'value'],
  ['recv-buf-size', 'value'],
  ['max-idle-conns-per-host', 'value'],
  ['memlimit', 'value'],
  ['dns-cache-ttl', 'value'],
  ['config-dir', 'value'],
  ['C', 'value'],
]);

/** Options of `minio server` that ask for what the product does not have; whether a value follows. */
export const refusedOptions: ReadonlyMap<string, readonly [kind: 'flag' | 'value', what: string]> = new Map([
  ['certs-dir', ['value', 'TLS is not supported; put a proxy in front that keeps Host and path as they are']],
  ['S', ['value', 'TLS is not supported; put a proxy in front that keeps Host and path as they are']],
  ['ftp', ['value', 'FTP is not supported']],
  ['sftp', ['value', 'SFTP is not supported']],
  ['config', ['value', "MinIO's configuration file is not read; give the directory and options as arguments"]],
  ['interface', ['value', 'binding to an interface is not supported; name its address in --address']],
  ['crossdomain-xml', ['value', 'crossdomain.xml is not supported']],
]);
