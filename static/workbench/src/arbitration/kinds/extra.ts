/** extra: fewer than half drew it. The same question as missing; the name only says which answer had more hands. */
import { t } from "../../core/i18n.ts";
import type { DifferenceKind } from "../kind.ts";
import { kind as missing } from "./missing.ts";

export const kind: DifferenceKind = { ...missing, name: "extra", title: () => t("Drawn by a minority") };
