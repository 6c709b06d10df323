import type { FieldError, Problem } from './types';

/** An answer that is not a success: `status` 0 means that no answer came (network, timeout). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** The last part of the problem's `type`, e.g. `at-capacity`; empty when the server named none. */
    readonly code: string,
    readonly detail: string,
    readonly errors: FieldError[] = [],
    /** Seconds from `Retry-After`, if any. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail || `HTTP ${status}`);
  }

  /** True when the same request may succeed later without any change. */
  get transient(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  field(name: string): string | undefined {
    return this.errors.find((e) => e.field === name || e.field.startsWith(`${name}.`))?.message;
  }
}

export const BASE = '/api/v1';

let csrf: string | null = null;
let onUnauthenticated: () => void = () => {};

export function setCsrf(token: string | null): void {
  csrf = token;
}

export function csrfToken(): string | null {
  return csrf;
}

/** Called whenever the server says 401 to anything but the login itself. */
export function whenUnauthenticated(handler: () => void): void {
  onUnauthenticated = handler;
}

type Query = Record<string, string | number | boolean | null | undefined>;

export function queryString(query: Query | undefined): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== '') params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

export function problemToError(status: number, body: unknown, retryAfter: string | null): ApiError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as Problem;
  const code = (problem.type ?? '').split('/').pop() ?? '';
  const seconds = retryAfter === null ? NaN : Number(retryAfter);
  return new ApiError(
    status,
    code === 'about:blank' ? '' : code,
    problem.detail ?? problem.title ?? '',
    problem.errors ?? [],
    Number.isFinite(seconds) ? seconds : null,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

interface Options {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  /** Milliseconds until the request counts as lost. */
  timeout?: number;
  /** Answer the body as text (raw quarantine). */
  text?: boolean;
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (csrf && method !== 'GET') headers['X-CSRF-Token'] = csrf;
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), options.timeout ?? 30_000);
  options.signal?.addEventListener('abort', () => abort.abort(), { once: true });
  let response: Response;
  let text: string;
  try {
    response = await fetch(BASE + path + queryString(options.query), {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: abort.signal,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    text = response.status === 204 ? '' : await response.text();
  } catch {
    throw new ApiError(0, 'network', '');
  } finally {
    clearTimeout(timer);
  }
  if (response.ok && options.text) return text as T;
  const body = parse(text);
  if (!response.ok) {
    if (response.status === 401 && !path.startsWith('/auth/login')) onUnauthenticated();
    throw problemToError(response.status, body, response.headers.get('Retry-After'));
  }
  return body as T;
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) =>
    request<T>('GET', path, { ...(query ? { query } : {}), ...(signal ? { signal } : {}) }),
  text: (path: string) => request<string>('GET', path, { text: true }),
  post: <T>(path: string, body: unknown = {}) => request<T>('POST', path, { body }),
  put: <T>(path: string, body: unknown) => request<T>('PUT', path, { body }),
  patch: <T>(path: string, body: unknown) => request<T>('PATCH', path, { body }),
  delete: <T>(path: string) => request<T>('DELETE', path),
};

/** Uploads one file; `progress` gets a share from 0 to 1. Aborting rejects with status 0 and code `aborted`. */
export function upload<T>(
  path: string,
  file: File,
  progress: (share: number) => void,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const form = new FormData();
    form.append('file', file, file.name);
    xhr.open('POST', BASE + path);
    xhr.setRequestHeader('Accept', 'application/json');
    if (csrf) xhr.setRequestHeader('X-CSRF-Token', csrf);
    xhr.upload.onprogress = (e) => {
      if (e.lengthComputable) progress(e.loaded / e.total);
    };
    xhr.onload = () => {
      const body = parse(xhr.responseText);
      if (xhr.status >= 200 && xhr.status < 300) resolve(body as T);
      else {
        if (xhr.status === 401) onUnauthenticated();
        reject(problemToError(xhr.status, body, xhr.getResponseHeader('Retry-After')));
      }
    };
    xhr.onerror = () => reject(new ApiError(0, 'network', ''));
    xhr.onabort = () => reject(new ApiError(0, 'aborted', ''));
    signal?.addEventListener('abort', () => xhr.abort(), { once: true });
    xhr.send(form);
  });
}
