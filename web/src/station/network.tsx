// The station's own network: what it is joined to and why, what is in reach, and which networks it knows.
import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "../ui/icon";
import { Button, Chip, Empty, Fact, Problem } from "../ui/parts";
import { look, network, putWifi, scanNetworks, visitor } from "./data";
import { canSetUp, joinedWords, networkTone, signalWords, whyNoSetUp } from "./network_model";
import type { FoundNetwork, Network } from "./types";
import { loginAsked } from "./visit";

const READ_MS = 3000;

interface Form {
  slot: number;
  ssid: string;
  password: string;
  open: boolean; // no password is wanted
}

function Standing({ net }: { net: Network }) {
  return (
    <section class="card pad" aria-label="Connection">
      <div class="row">
        <h2>Connection</h2>
        <Chip tone={networkTone(net)}>{net.state}</Chip>
      </div>
      <p class="says">{joinedWords(net)}</p>
      <dl class="facts">
        <Fact label="Why">{net.why}</Fact>
        <Fact label="Address">{net.ip ?? "–"}</Fact>
        <Fact label="Signal">{signalWords(net.signal_percent)}</Fact>
        <Fact label="Own access point">{net.ap_ssid ?? "–"}</Fact>
        {net.ap && <Fact label="Joined to it">{net.guests ?? "not told by this radio"}</Fact>}
      </dl>
      {net.failed_ssid !== null && (
        <p class="notice warn" role="status">
          <Icon name="alert" />
          <span>
            <b>{net.failed_ssid}</b> could not be joined: {net.failed_why}.
          </span>
        </p>
      )}
    </section>
  );
}

function FoundRow({ found, chosen, choose }: { found: FoundNetwork; chosen: boolean; choose: () => void }) {
  return (
    <li>
      <button type="button" class="bare found" aria-pressed={chosen} onClick={choose}>
        <Icon name={found.secured ? "lock" : "wifi"} />
        <span class="name">{found.ssid}</span>
        <span class="soft small">
          {signalWords(found.signal_percent)}
          {found.secured ? "" : ", open"}
        </span>
      </button>
    </li>
  );
}

function Found({ net, form, nobody }: { net: Network; form: Signal<Form>; nobody: string | null }) {
  const said = useSignal("");
  const scan = (): void => {
    scanNetworks().then(
      () => (said.value = net.ap ? "The access point closes for the scan, and comes back: join it again." : "Looking…"),
      (error: unknown) => (said.value = error instanceof Error ? error.message : String(error)),
    );
  };
  const choose = (found: FoundNetwork) => (): void => {
    form.value = { ...form.value, ssid: found.ssid, password: "", open: !found.secured };
    document.getElementById("wifi-password")?.focus();
  };
  return (
    <section class="card pad" aria-label="Networks in reach">
      <div class="row">
        <h2>Networks in reach</h2>
        <Button icon="reload" why={nobody ?? (net.managed ? null : "network.managed is off")} onClick={scan}>
          Scan
        </Button>
        <span class="soft small" role="status">
          {said.value !== "" ? said.value : net.found_s_ago === null ? "never looked" : `seen ${net.found_s_ago} s ago`}
        </span>
      </div>
      {net.found.length === 0 ? (
        <p class="soft">None. A hidden network can be typed in below, but is not joined: stations look before they join.</p>
      ) : (
        <ul class="founds">
          {net.found.map((found) => (
            <FoundRow key={found.ssid} found={found} chosen={form.value.ssid === found.ssid} choose={choose(found)} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Known({ net, form, nobody }: { net: Network; form: Signal<Form>; nobody: string | null }) {
  const said = useSignal<{ text: string; bad: boolean } | null>(null);
  const { slot, ssid, password, open } = form.value;
  const short = !open && password.length > 0 && password.length < 8;
  const missing = !open && password === "" && net.known.find((row) => row.slot === slot)?.ssid !== ssid;
  const why = nobody ?? (ssid === "" ? "choose a network" : short ? "a password has 8 characters or more" : missing ? "the password is missing" : null);
  const put = async (row: { slot: number; ssid: string; password?: string }): Promise<void> => {
    try {
      said.value = { text: await putWifi(row), bad: false };
      form.value = { ...form.value, password: "" };
    } catch (error) {
      said.value = { text: error instanceof Error ? error.message : String(error), bad: true };
    }
  };
  const save = (): Promise<void> => put({ slot, ssid, ...(open ? { password: "" } : password === "" ? {} : { password }) });
  return (
    <section class="card pad" aria-label="Known networks">
      <h2>Known networks</h2>
      <ul class="knowns">
        {net.known.map((row) => (
          <li key={row.slot} class="row">
            <span>
              {row.slot === 1 ? "First: " : "Second: "}
              {row.ssid === null ? <span class="soft">none</span> : <b>{row.ssid}</b>}
            </span>
            {row.ssid !== null && (
              <Button icon="broom" why={nobody} onClick={() => void put({ slot: row.slot, ssid: "", password: "" })}>
                Forget
              </Button>
            )}
          </li>
        ))}
      </ul>
      <form
        class="wifi"
        onSubmit={(event) => {
          event.preventDefault();
          if (why === null) void save();
        }}
      >
        <label>
          Network
          <input name="ssid" value={ssid} maxLength={32} autocomplete="off" spellcheck={false} disabled={nobody !== null} onInput={(event) => (form.value = { ...form.value, ssid: event.currentTarget.value })} />
        </label>
        <label>
          Password
          <input
            id="wifi-password"
            name="wifi-password"
            type="password"
            autocomplete="off"
            maxLength={63}
            placeholder={open ? "an open network has none" : ""}
            disabled={nobody !== null || open}
            value={password}
            onInput={(event) => (form.value = { ...form.value, password: event.currentTarget.value })}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={open} disabled={nobody !== null} onChange={(event) => (form.value = { ...form.value, open: event.currentTarget.checked, password: "" })} />
          It has no password
        </label>
        <label>
          Tried
          <select value={String(slot)} disabled={nobody !== null} onChange={(event) => (form.value = { ...form.value, slot: Number(event.currentTarget.value) })}>
            <option value="1">first</option>
            <option value="2">second</option>
          </select>
        </label>
        <Button tone="primary" why={why} onClick={() => void save()}>
          Save and join
        </Button>
      </form>
      {said.value !== null && (
        <p class={said.value.bad ? "answer bad" : "answer"} role={said.value.bad ? "alert" : "status"}>
          {said.value.text}
        </p>
      )}
    </section>
  );
}

// In place of it all, for whoever has not logged in.
function Shut() {
  const who = visitor.value;
  return (
    <section class="card">
      <Empty icon="unlock" title="The network can be set up after a login">
        <p>
          {who?.set_up === true
            ? "Log in with the password of the station's access point: its display shows it."
            : who?.password_set === true
              ? "Log in with the station's password."
              : "No password is set. Set page.password in the station's secrets file."}
        </p>
        {(who?.set_up === true || who?.password_set === true) && (
          <button type="button" class="button primary" onClick={() => (loginAsked.value = true)}>
            Log in
          </button>
        )}
      </Empty>
    </section>
  );
}

function Open() {
  const net = useSignal<Network | null>(null);
  const problem = useSignal<unknown>(null);
  const form = useSignal<Form>({ slot: 1, ssid: "", password: "", open: false });
  const nobody = whyNoSetUp(visitor.value);
  useEffect(() => {
    let ended = false;
    const read = (): void => {
      network().then(
        (answer) => {
          if (ended) return;
          if (net.value !== null && net.value.ap !== answer.ap) void look(); // its password logs in no more, or again
          net.value = answer;
          problem.value = null;
        },
        (error: unknown) => {
          if (!ended) problem.value = error;
        },
      );
    };
    read();
    const timer = setInterval(read, READ_MS);
    return () => {
      ended = true;
      clearInterval(timer);
    };
  }, []);
  return (
    <>
      {problem.value !== null && <Problem error={problem.value} />}
      {net.value !== null && (
        <div class="stack pair">
          <div class="stack">
            <Standing net={net.value} />
            <Found net={net.value} form={form} nobody={nobody} />
          </div>
          <Known net={net.value} form={form} nobody={nobody} />
        </div>
      )}
    </>
  );
}

export function NetworkPage() {
  return (
    <>
      <div class="title">
        <h1>Network</h1>
      </div>
      {canSetUp(visitor.value) ? <Open /> : <Shut />}
    </>
  );
}
