/** What the bundler, not TypeScript, resolves: style sheets that are imported for their effect. */
declare module "*.css";
