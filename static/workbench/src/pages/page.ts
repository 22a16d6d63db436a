/**
 * What a page's script is: a selector and what to do with the element it finds. Every file beside this one that says
 * `export const page` is found by the build and started when its element is on the page.
 */
export interface PageScript {
  readonly selector: string;
  start(element: HTMLElement): void;
}
