/**
 * Which key does what. Pure: turns a key event's fields into chords and chords into action names.
 *
 * Under a Chinese input method a letter arrives as "Process" or as a full-width sign: then the place of the key on the
 * keyboard (event.code) counts. While a text is being composed in a field no key is ours.
 */

export type Keymap = { readonly [action: string]: string };

/** Several chords are separated by blanks. Bare letters, digits and signs can be switched off as a whole. */
export const DEFAULT_KEYS: Keymap = {
  "tool.select": "v", "tool.box": "b", "tool.polygon": "p", "tool.brush": "m", "tool.eraser": "x", "tool.assist": "g", "tool.pan": "shift+space",
  zoom_in: "+ =", zoom_out: "-", fit: "0", one_to_one: "shift+0",
  previous: "[", next: "]", find_label: "f /", label_1: "1", label_2: "2", label_3: "3", label_4: "4", label_5: "5", label_6: "6", label_7: "7",
  label_8: "8", label_9: "9", relabel: "r",
  keep: "a", drop: "d", next_prelabel: "n", restore_dropped: "shift+d", hide: "h", hide_prelabels: "shift+h", smaller: "q", larger: "e",
  undo: "ctrl+z", redo: "ctrl+shift+z ctrl+y", select_all: "ctrl+a", copy: "ctrl+c", paste: "ctrl+v", remove: "delete backspace",
  submit: "ctrl+enter", skip: "s", unusable: "u", palette: "ctrl+k", help: "?",
};

export interface KeyPress {
  readonly key: string; readonly code: string; readonly ctrlKey: boolean; readonly metaKey: boolean; readonly altKey: boolean; readonly shiftKey: boolean;
  readonly isComposing: boolean; readonly keyCode?: number;
}

const NAMED: { readonly [key: string]: string } = {
  " ": "space", Enter: "enter", Escape: "escape", ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Delete: "delete",
  Backspace: "backspace", Tab: "tab", Home: "home", End: "end", PageUp: "pageup", PageDown: "pagedown",
};
const CODES: { readonly [code: string]: string } = {
  BracketLeft: "[", BracketRight: "]", Slash: "/", Minus: "-", Equal: "=", Comma: ",", Period: ".", Semicolon: ";", Quote: "'", Backquote: "`",
  NumpadAdd: "+", NumpadSubtract: "-", Space: "space", Enter: "enter", NumpadEnter: "enter", Escape: "escape", ArrowLeft: "left", ArrowRight: "right",
  ArrowUp: "up", ArrowDown: "down", Delete: "delete", Backspace: "backspace", Tab: "tab",
};
const SHIFTED: { readonly [key: string]: string } = { "/": "?", "=": "+" };

/** True while an input method owns the key. */
export function composing(event: KeyPress): boolean {
  return event.isComposing || event.keyCode === 229;
}

function byCode(code: string): string | null {
  if (/^Key[A-Z]$/.test(code)) return code.slice(3).toLowerCase();
  if (/^(Digit|Numpad)[0-9]$/.test(code)) return code.slice(-1);
  return CODES[code] ?? null;
}

/** The chords that a press may mean, the likeliest first: "ctrl+shift+z", "?", "shift+0". */
export function chordsOf(event: KeyPress): string[] {
  const ctrl = event.ctrlKey || event.metaKey;
  const chord = (key: string, shift: boolean): string => `${ctrl ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${shift ? "shift+" : ""}${key}`;
  const found: string[] = [];
  const named = NAMED[event.key];
  if (named) found.push(chord(named, event.shiftKey));
  else if (/^[\x21-\x7e]$/.test(event.key)) {
    const letter = /^[a-zA-Z]$/.test(event.key);
    // A sign already contains its shift: "?" is "?" on every keyboard.
    found.push(chord(event.key.toLowerCase(), letter && event.shiftKey));
  }
  const place = byCode(event.code);
  // A Latin letter is what it says (on AZERTY too); the place only speaks where the sign does not.
  if (place && !(named || /^[a-zA-Z]$/.test(event.key))) {
    const shifted = event.shiftKey ? SHIFTED[place] : undefined;
    if (shifted) found.push(chord(shifted, false));
    found.push(chord(place, event.shiftKey));
  }
  return [...new Set(found)];
}

/** A key that a person may hit while meaning to type: letters, digits and signs without ctrl or alt. */
export function isSingle(chord: string): boolean {
  return /^(shift\+)?.$/.test(chord);
}

export class Keys {
  readonly map: Keymap;
  #actions = new Map<string, string>();

  constructor(own: Keymap = {}) {
    this.map = { ...DEFAULT_KEYS, ...Object.fromEntries(Object.entries(own).filter(([action, keys]) => action in DEFAULT_KEYS && typeof keys === "string")) };
    // Own choices first: a default never takes a key that a person gave to something else.
    const mine = new Set(Object.keys(own));
    for (const action of Object.keys(this.map).sort((a, b) => Number(mine.has(b)) - Number(mine.has(a)))) {
      for (const chord of this.chords(action)) if (!this.#actions.has(chord)) this.#actions.set(chord, action);
    }
  }

  chords(action: string): string[] {
    return (this.map[action] ?? "").split(/\s+/).filter((chord) => chord !== "");
  }

  actionOf(event: KeyPress, single: boolean): string | null {
    for (const chord of chordsOf(event)) {
      const action = this.#actions.get(chord);
      if (action && (single || !isSingle(chord))) return action;
    }
    return null;
  }

  /** For tooltips and the sheet. */
  shown(action: string): string {
    return this.shownAt(action, 0);
  }

  shownAt(action: string, index: number): string {
    const chord = this.chords(action)[index];
    return chord === undefined ? "" : showChord(chord);
  }
}

export function showChord(chord: string): string {
  return chord.split("+").map((part, index, all) => {
    if (part === "" && index === all.length - 1) return "+";
    return ({ ctrl: "Ctrl", alt: "Alt", shift: "Shift", space: "Space", enter: "Enter", escape: "Esc", delete: "Del", backspace: "⌫", left: "←", right: "→", up: "↑", down: "↓" } as { [k: string]: string })[part] ?? part.toUpperCase();
  }).filter((part) => part !== "").join(" ");
}
