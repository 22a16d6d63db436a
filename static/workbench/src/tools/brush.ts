/** Paints the selected mask, or a new one of the chosen label. */
import { t } from "../core/i18n.ts";
import { strokeTool } from "./stroke.ts";

export const tool = strokeTool({ name: "brush", title: () => t("Brush"), icon: "brush", order: 40 }, 1);
