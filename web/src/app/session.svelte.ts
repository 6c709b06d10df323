import { api, ApiError, setCsrf, whenUnauthenticated } from '../api/client';
import type { LoginAnswer, Me, User } from '../api/types';

type State = { kind: 'starting' } | { kind: 'out' } | { kind: 'in'; user: User } | { kind: 'broken'; error: unknown };

let state = $state.raw<State>({ kind: 'starting' });
/** The session ended while somebody was working: said on the sign-in page. */
let expired = $state(false);

/** What the server offers to whoever works here. */
type WorkOptions = Pick<Me, 'pause_reasons' | 'away_after_secs'>;
let options = $state.raw<WorkOptions>({ pause_reasons: [], away_after_secs: 600 });

export function workOptions(): WorkOptions {
  return options;
}

/** How far the role reaches, by object and action; until it is known the server alone says no. */
let rights = $state.raw<Me['rights'] | null>(null);

export type Right = 'view' | 'edit' | 'delete' | 'export';

/** Whether the role lets one do this to some objects of the kind at all. */
export function may(object: string, action: Right = 'view'): boolean {
  return !rights || (rights[object]?.[action] ?? 'none') !== 'none';
}

/** Whether it lets one do this to those of others too: of one's teams, or all. */
export function mayBeyond(object: string, action: Right = 'view'): boolean {
  return !rights || ['team', 'all'].includes(rights[object]?.[action] ?? 'none');
}

export async function loadWorkOptions(): Promise<void> {
  try {
    const mine = await api.get<Me>('/me');
    options = mine;
    rights = mine.rights;
  } catch {
    // One pauses without a list as well.
  }
}

export function session(): State {
  return state;
}

export function sessionExpired(): boolean {
  return expired;
}

export function me(): User {
  if (state.kind !== 'in') throw new Error('not signed in');
  return state.user;
}

export function isAdmin(): boolean {
  return state.kind === 'in' && state.user.role === 'admin';
}

export function isSupervisor(): boolean {
  return state.kind === 'in' && state.user.role !== 'operator';
}

export function setMe(user: User): void {
  // Whoever was changed may have another role now, or another one in it.
  if (state.kind === 'in' && user.version !== state.user.version) void loadWorkOptions();
  if (state.kind === 'in') state = { kind: 'in', user: { ...state.user, ...user } };
}

export function signedIn(answer: LoginAnswer): void {
  setCsrf(answer.csrf_token);
  expired = false;
  state = { kind: 'in', user: answer.user };
}

export async function startSession(): Promise<void> {
  whenUnauthenticated(() => {
    if (state.kind === 'in') {
      expired = true;
      signedOut();
    }
  });
  try {
    const user = await api.get<Me>('/me');
    setCsrf(user.csrf_token ?? null);
    rights = user.rights;
    state = { kind: 'in', user };
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) state = { kind: 'out' };
    else state = { kind: 'broken', error };
  }
}

export async function login(email: string, password: string): Promise<void> {
  signedIn(await api.post<LoginAnswer>('/auth/login', { email, password }));
}

export function signedOut(): void {
  setCsrf(null);
  rights = null;
  state = { kind: 'out' };
}

export async function logout(): Promise<void> {
  await api.post('/auth/logout');
  signedOut();
}
