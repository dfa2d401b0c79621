// Sentences with values, and times as people read them.

// The page's language, in the user's flavour of it where the browser tells one.
const language =
  navigator.languages.find((tag) => tag.startsWith(document.documentElement.lang)) ??
  document.documentElement.lang;

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// The time of day, with the date where it is not today's.
export function moment(instant) {
  const then = new Date(instant);
  const isToday = then.toDateString() === new Date().toDateString();
  const dateStyle = isToday ? undefined : "medium";
  return then.toLocaleString(language, { dateStyle, timeStyle: "medium" });
}
