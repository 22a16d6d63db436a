/** Takes pixels off the selected mask, or off the one under the pointer. */
import { t } from "../core/i18n.ts";
import { strokeTool } from "./stroke.ts";

export const tool = strokeTool({ name: "eraser", title: () => t("Eraser"), icon: "eraser", order: 50 }, 0);
