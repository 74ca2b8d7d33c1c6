// What this page proves itself with over TLS, so that a person can compare it with what the browser shows.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask } from "../ui/dialog";
import { Button, Fact, Problem, When } from "../ui/parts";
import { certificate, newCertificate, visitor } from "./data";
import { overTls, whyNothing } from "./model";
import type { Certificate } from "./types";

const LATER_MS = 1500; // until it is made

// Lines end between its bytes: it is there to be compared.
function Fingerprint(props: { of: string }) {
  return <code class="fingerprint">{props.of.split(":").flatMap((byte, at) => (at === 0 ? [byte] : [":", <wbr />, byte]))}</code>;
}

export function CertificateCard() {
  const read = useSignal<Certificate | null>(null);
  const problem = useSignal<unknown>(null);
  const message = useSignal("");
  const look = (): void => {
    certificate().then(
      (answer) => (read.value = answer),
      (error: unknown) => (problem.value = error),
    );
  };
  useEffect(look, []);
  const of = read.value;
  if (of === null || !of.wanted) return problem.value === null ? null : <Problem error={problem.value} />;
  const renew = async (): Promise<void> => {
    const text = "The station makes a new key and certificate. Browsers that know this one warn again, and this page may have to be opened anew.";
    if (!(await ask("Make another certificate?", text, "Make another"))) return;
    newCertificate().then(
      (said) => {
        message.value = said;
        setTimeout(look, LATER_MS);
      },
      (error: unknown) => (problem.value = error),
    );
  };
  return (
    <section class="card pad stack" aria-label="Certificate">
      <h2>Certificate</h2>
      <dl class="facts">
        {of.port > 0 && (
          <Fact label="Encrypted page">
            <a href={overTls(location.hostname, of.port)}>{overTls(location.hostname, of.port)}</a>
          </Fact>
        )}
        <Fact label="Made by">{of.own ? "this station" : "the owner (page.certificate)"}</Fact>
        <Fact label="SHA-256">
          {of.fingerprint === "" ? "none yet" : <Fingerprint of={of.fingerprint} />}
        </Fact>
        {of.until !== "" && (
          <Fact label="Until">
            <When at={of.until} />
          </Fact>
        )}
      </dl>
      {of.why !== "" && (
        <p class="notice bad" role="alert">
          {of.why}
        </p>
      )}
      {of.own && (
        <>
          <p class="soft small">Compare what the browser shows with the station's log or its command certificate: this page itself came over the connection in question.</p>
          <Button why={whyNothing(visitor.value)} onClick={() => void renew()}>
            Make another
          </Button>
        </>
      )}
      {message.value !== "" && (
        <p class="notice info" role="status">
          {message.value}
        </p>
      )}
      {problem.value !== null && <Problem error={problem.value} />}
    </section>
  );
}
