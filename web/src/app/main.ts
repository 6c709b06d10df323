import { mount } from 'svelte';
import '../ui/tokens.css';
import '../ui/base.css';
import { startDigits } from '../core/digits';
import App from './App.svelte';
import { startPrefs } from './prefs.svelte';
import { startSession } from './session.svelte';

const target = document.getElementById('app');
if (target) {
  startDigits(document);
  await startPrefs();
  // The page is drawn at once; it shows its own waiting state until the server has said who we are.
  void startSession();
  mount(App, { target });
}
