/** Marks of a checker or arbiter. Pure. */
import { t } from "../core/i18n.ts";
import type { Mark } from "../document/types.ts";

/** One mark a region; without regions one mark about the item. */
export function withMark(marks: readonly Mark[], regions: readonly string[], text: string, errorType: string): Mark[] {
  const type = errorType === "" ? {} : { error_type: errorType };
  const added: Mark[] = regions.length === 0 ? [{ text, ...type }] : regions.map((region) => ({ region, text, ...type }));
  return [...marks, ...added];
}

/** Why it cannot be returned yet; null when it can. A return says what kind of error it is, and what is wrong. */
export function canReturn(errorType: string, marks: readonly Mark[], text: string): string | null {
  if (errorType === "") return t("Choose the kind of error.");
  if (marks.length === 0 && text.trim() === "") return t("Say what is wrong, or mark it on the objects.");
  return null;
}
