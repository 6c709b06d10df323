import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const browser = Object.fromEntries(
  'window document navigator location history localStorage sessionStorage fetch WebSocket XMLHttpRequest FormData File Blob URL URLSearchParams crypto console setTimeout clearTimeout setInterval clearInterval requestAnimationFrame cancelAnimationFrame queueMicrotask Notification BroadcastChannel AbortController AudioContext Intl process performance Buffer globalThis matchMedia structuredClone'
    .split(' ')
    .map((name) => [name, 'readonly']),
);

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'src/api/schema.d.ts', 'e2e/.artifacts/'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs['flat/recommended'],
  { languageOptions: { globals: browser } },
  {
    rules: {
      // TypeScript knows the DOM's names better than a list of globals does.
      'no-undef': 'off',
      // The app has its own router; its links are plain paths.
      'svelte/no-navigation-without-resolve': 'off',
      // Maps and sets here are plain data that is replaced, never observed.
      'svelte/prefer-svelte-reactivity': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
);
