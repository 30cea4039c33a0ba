import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist/**', 'client/dist/**', 'client/cli/dist/**', 'releases/**', 'node_modules/**', '.data/**'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.js'] }, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      // Our interfaces describe objects made of closures: there is no `this` to lose.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    ignores: ['test/**', 'proof/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[callee.property.name=/^(push|unshift|concat|max|min|fromCharCode)$/] > SpreadElement',
          message: 'Each item becomes an argument, and a hundred thousand overflow the stack: use a loop, or reduce.',
        },
      ],
    },
  },
  {
    files: ['functions/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Take time from ctx.now(), so that tests decide it.' },
        { object: 'Math', property: 'random', message: 'Take ids from ctx.newId(), so that tests decide them.' },
        { object: 'process', property: 'env', message: 'Settings come from config/ alone.' },
      ],
    },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
)
