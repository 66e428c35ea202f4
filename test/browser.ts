/**
 * For tests and the benchmark: a headless Chromium, driven over its DevTools protocol. No name resolves in it and no
 * proxy is asked, so that a page which asks somebody for something is seen to fail.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

/** A message of the protocol that was not asked for. */
export interface BrowserEvent {
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own objects, looked into freely.
  readonly params: any;
}

const START_MS_MAX = 60_000;

/** Path of the program; null: this machine has none. */
export function chromium(): string | null {
  const found = spawnSync('sh', ['-c', 'command -v chromium || command -v chromium-browser'], { encoding: 'utf8' });
  return found.stdout.trim() || null;
}

/** One page of one browser. Ends with `close`. */
export class Browser {
  readonly events: BrowserEvent[] = [];
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #heard = new Set<(event: BrowserEvent) => void>();
  #session = '';
  #last = 0;

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('message', (data) => this.#take(JSON.parse(String(data))));
  }

  static async start(program: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'bw-chromium-'));
    const flags = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`, '--no-first-run'];
    // Without the sandbox: it refuses to start for root, as tests in containers run; only our own pages are opened.
    const closed = ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND', '--no-proxy-server', '--disable-gpu'];
    const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage'];
    const child = spawn(program, [...flags, ...closed, ...quiet, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const address = await new Promise<string>((resolve, reject) => {
      let text = '';
      const timer = setTimeout(() => reject(new Error(`Chromium said no address: ${text}`)), START_MS_MAX);
      child.once('exit', (code) => reject(new Error(`Chromium ended with ${code}: ${text}`)));
      child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const found = /DevTools listening on (\S+)/.exec(text)?.[1];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      });
    });
    const socket = new WebSocket(address, { maxPayload: 256 * 1024 * 1024 });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const browser = new Browser(child, profile, socket);
    const { targetInfos } = await browser.send('Target.getTargets');
    const { targetId } = targetInfos.find((each: { type: string }) => each.type === 'page');
    browser.#session = (await browser.send('Target.attachToTarget', { targetId, flatten: true })).sessionId;
    for (const domain of ['Page', 'Runtime', 'Network', 'Log', 'Audits']) await browser.send(`${domain}.enable`);
    return browser;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own objects, looked into freely.
  send(method: string, params: object = {}): Promise<any> {
    const id = ++this.#last;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    const session = this.#session === '' ? {} : { sessionId: this.#session };
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    return answer;
  }

  /** Opens a page and waits until it is drawn. @returns milliseconds by the page's own clock */
  async open(url: string): Promise<{ readonly loadMs: number; readonly paintMs: number }> {
    this.events.length = 0;
    const loaded = this.#next('Page.loadEventFired');
    await this.send('Page.navigate', { url });
    await loaded;
    return this.evaluate(`new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
      const [entry] = performance.getEntriesByType('navigation');
      const [paint] = performance.getEntriesByName('first-contentful-paint');
      done({ loadMs: entry.loadEventEnd, paintMs: paint?.startTime ?? -1 });
    }, 50)))`);
  }

  /** @returns what the expression comes to, as JSON @throws Error where it throws */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the expression says.
  async evaluate(expression: string): Promise<any> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      ...{ expression, awaitPromise: true, returnByValue: true, userGesture: true },
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async size(width: number, height: number): Promise<void> {
    const mobile = width < 600;
    await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile });
  }

  /** @param media `print` or `screen` */
  async look(media: string, scheme: 'light' | 'dark'): Promise<void> {
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await this.send('Emulation.setEmulatedMedia', { media, features });
  }

  async press(key: string, code = key, keyCode = 0): Promise<void> {
    const event = { key, code, windowsVirtualKeyCode: keyCode };
    await this.send('Input.dispatchKeyEvent', {
      type: 'keyDown',
      ...event,
      ...(key === 'Enter' ? { text: '\r' } : {}),
    });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  }

  /** @param whole the page and not what fits the window @returns a PNG */
  async screenshot(whole = false): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: whole });
    return Buffer.from(data, 'base64');
  }

  /** Whatever went wrong in the page since it was opened: exceptions, refusals of its policy, failed requests. */
  problems(): readonly string[] {
    return this.events.flatMap(({ method, params }) => {
      if (method === 'Runtime.exceptionThrown') return [params.exceptionDetails.exception?.description ?? 'exception'];
      if (method === 'Log.entryAdded' && params.entry.level === 'error') return [params.entry.text];
      if (method === 'Audits.issueAdded' && params.issue.code === 'ContentSecurityPolicyIssue') {
        return [JSON.stringify(params.issue.details)];
      }
      if (method === 'Network.loadingFailed') return [`${params.errorText} ${params.blockedReason ?? ''}`];
      return [];
    });
  }

  /** URLs that were asked for since the page was opened. */
  requests(): readonly string[] {
    return this.events
      .filter(({ method }) => method === 'Network.requestWillBeSent')
      .map(({ params }) => String(params.request.url));
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#socket.terminate();
    this.#child.kill('SIGKILL');
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }

  #next(method: string): Promise<BrowserEvent> {
    return new Promise((resolve) => {
      const hear = (event: BrowserEvent): void => {
        if (event.method !== method) return;
        this.#heard.delete(hear);
        resolve(event);
      };
      this.#heard.add(hear);
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own objects, looked into freely.
  #take(message: any): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting !== undefined) {
      this.#waiting.delete(message.id);
      if (message.error) waiting.reject(new Error(message.error.message));
      else waiting.resolve(message.result);
    } else if (message.method !== undefined) {
      this.events.push(message);
      for (const hear of this.#heard) hear(message);
    }
  }
}
