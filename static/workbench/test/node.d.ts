/** The few names of Node that the tests use; declared here so that no package of types is needed. */
declare module "node:test" {
  type Body = () => void | Promise<void>;
  interface Test { (name: string, body: Body): void; (name: string, options: { skip?: boolean | string }, body: Body): void }
  export const test: Test;
  export const describe: (name: string, body: () => void) => void;
}
declare module "node:assert/strict" {
  interface Assert {
    (value: unknown, message?: string): asserts value;
    ok(value: unknown, message?: string): asserts value;
    equal<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
    notEqual(actual: unknown, expected: unknown, message?: string): void;
    deepEqual<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
    throws(body: () => unknown, expected?: RegExp | object | ((error: unknown) => boolean), message?: string): void;
    rejects(body: Promise<unknown> | (() => Promise<unknown>), expected?: RegExp | object): Promise<void>;
    fail(message?: string): never;
  }
  const assert: Assert;
  export default assert;
}
declare module "node:fs" {
  export function readFileSync(path: string | URL | number, encoding: "utf8"): string;
  export function existsSync(path: string | URL): boolean;
}
declare module "node:crypto" {
  export function createHash(name: string): { update(data: Uint8Array | string): { digest(form: "hex"): string } };
}
declare module "node:readline" {
  export function createInterface(options: { input: unknown; crlfDelay?: number }): AsyncIterable<string>;
}
declare const process: { readonly stdin: unknown; readonly stdout: { write(text: string): boolean } };
