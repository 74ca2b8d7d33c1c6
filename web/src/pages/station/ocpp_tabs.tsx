// The pages of what OCPP lets a central do are read when the first of them is opened.
import type { ComponentType } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { may } from "../../data/api";
import type { Station } from "../../data/types";
import type { OcppTab } from "../../route";
import { Loading, Problem } from "../../ui/parts";

type Props = { station: Station; tab: OcppTab };

let read: ComponentType<Props> | null = null;

export function OcppTabs(props: Props) {
  const ready = useSignal(read !== null);
  const problem = useSignal(false);
  useEffect(() => {
    if (read !== null) return;
    import("./ocpp/tabs").then(
      (module) => {
        read = module.Tabs;
        ready.value = true;
      },
      () => (problem.value = true),
    );
  }, []);
  if (problem.value) return <Problem error="This page cannot be read: the central is away, or is a newer one since you came." retry={() => window.location.reload()} />;
  if (!ready.value || read === null) return <Loading />;
  const Tabs = read;
  const least = props.tab === "security" ? "admin" : "operator";
  return (
    <>
      {!may(least) && <p class="notice info">What changes something here is for {least === "admin" ? "admins" : "operators and admins"}, and not shown to you.</p>}
      <Tabs {...props} />
    </>
  );
}
