/**
 * Entry of the pages' bundle: the style sheets and the scripts of this folder. Pages work without it, except where
 * they say so; a script makes them quicker, never possible.
 */
import "../styles/tokens.css";
import "../styles/pages.css";
import { pages } from "../generated/pages.ts";
import { setLanguage } from "../core/i18n.ts";

setLanguage(document.documentElement.lang);
for (const page of pages) {
  for (const element of document.querySelectorAll<HTMLElement>(page.selector)) page.start(element);
}
