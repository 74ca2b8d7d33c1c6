import { useSignal } from "@preact/signals";
import { Icon } from "./icon";

// The clipboard is only there on secure pages (https, localhost); elsewhere the text is selected to copy by hand.
async function copy(text: string, from: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (from) window.getSelection()?.selectAllChildren(from);
    return false;
  }
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const done = useSignal(false);
  const onClick = async (event: MouseEvent): Promise<void> => {
    const near = (event.currentTarget as HTMLElement).closest("[data-copy]")?.querySelector<HTMLElement>("code, pre");
    done.value = await copy(text, near ?? null);
    setTimeout(() => (done.value = false), 1500);
  };
  return (
    <button type="button" class="button small" onClick={(event) => void onClick(event)}>
      <Icon name={done.value ? "check" : "copy"} size={14} />
      {done.value ? "Copied" : label}
    </button>
  );
}

export function CopyText({ text }: { text: string }) {
  return (
    <span class="copytext" data-copy>
      <code>{text}</code>
      <CopyButton text={text} label="Copy" />
    </span>
  );
}

export function download(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const a = document.createElement("a");
  a.href = address;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
