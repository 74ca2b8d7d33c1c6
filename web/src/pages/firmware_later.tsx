// The pages of firmware are read when the first of them is opened.
import type { ComponentType } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Route } from "../route";
import { Loading, Problem } from "../ui/parts";

type Props = { where: Route };

let read: ComponentType<Props> | null = null;

export function FirmwareLater(props: Props) {
  const ready = useSignal(read !== null);
  const problem = useSignal(false);
  useEffect(() => {
    if (read !== null) return;
    import("./firmware_pages").then(
      (module) => {
        read = module.FirmwarePages;
        ready.value = true;
      },
      () => (problem.value = true),
    );
  }, []);
  if (problem.value) return <Problem error="This page cannot be read: the central is away, or is a newer one since you came." retry={() => window.location.reload()} />;
  if (!ready.value || read === null) return <Loading />;
  const Pages = read;
  return <Pages {...props} />;
}
