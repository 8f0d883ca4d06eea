/**
 * The architecture as lint: a folder of src/ imports only from folders of a lower rank, and equal ranks never import
 * each other (docs/architecture.md). A new folder is one entry here.
 */
const ranks = [
  ['core', 'fs', 'bucket'],
  ['settings', 'sigv4', 'policy', 'checksum'],
  ['providers', 'store', 'users'],
  ['s3', 'client'],
  ['server', 'gateway', 'transfer', 'provision', 'verify', 'probe', 'credentials', 'stack'],
  ['tenants', 'observability', 'deploy', 'backup', 'artifacts', 'cost'],
  ['control'],
  ['cli'],
];

const folder = (name) => `^src/${name}/`;
const rules = ranks.flatMap((folders, rank) =>
  folders.flatMap((name) => {
    const higher = ranks.slice(rank + 1).flat();
    const equals = folders.filter((other) => other !== name && !(rank === 0 && name !== 'core' && other === 'core'));
    // An empty list of paths would match everything.
    if (equals.length + higher.length === 0) return [];
    return [
      {
        name: `${name}-imports-only-lower-ranks`,
        comment: `src/${name} has rank ${rank}: what it shares with ${[...equals, ...higher].join(', ')} belongs in a lower rank`,
        severity: 'error',
        from: { path: folder(name) },
        to: { path: [...equals, ...higher].map(folder) },
      },
    ];
  }),
);

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'known-folder',
      comment: 'every folder of src/ has a rank in .dependency-cruiser.cjs',
      severity: 'error',
      from: { path: '^src/', pathNot: ranks.flat().map(folder) },
      to: {},
    },
    { name: 'no-circular', comment: 'a cycle has no lower rank', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'not-to-dev-dependency',
      comment: 'what src/ imports must be installed by users',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
