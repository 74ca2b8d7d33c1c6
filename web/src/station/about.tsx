// What runs here: version, build, licence, and whose work it stands on.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { elapsed } from "../data/format";
import { Fact, Problem } from "../ui/parts";
import { about, status } from "./data";
import { CertificateCard } from "./certificate";
import { Forget } from "./forget";
import type { About } from "./types";
import { UpdateCard } from "./update";

export function AboutPage() {
  const read = useSignal<About | null>(null);
  const problem = useSignal<unknown>(null);
  useEffect(() => {
    about().then(
      (answer) => (read.value = answer),
      (error: unknown) => (problem.value = error),
    );
  }, []);
  const of = read.value;
  return (
    <>
      <div class="title">
        <h1>About</h1>
      </div>
      {problem.value !== null && <Problem error={problem.value} />}
      {of && (
        <div class="stack pair">
          <section class="card pad">
            <h2>{of.program}</h2>
            <dl class="facts">
              <Fact label="Station">{status.value?.station}</Fact>
              <Fact label="Version">{of.version}</Fact>
              <Fact label="Build">{of.build}</Fact>
              <Fact label="Up for">{elapsed(status.value?.uptime_s)}</Fact>
              <Fact label="Licence">{of.licence}</Fact>
              <Fact label="Interface">
                <code>/api/v1</code>, described in doc/page.md
              </Fact>
            </dl>
          </section>
          <CertificateCard />
          <UpdateCard />
          <section class="card">
            <h2 class="grouphead">Libraries</h2>
            <table class="table">
              <thead>
                <tr>
                  <th>Library</th>
                  <th>Version</th>
                  <th>Licence</th>
                </tr>
              </thead>
              <tbody>
                {of.libraries.map((library) => (
                  <tr key={library.name}>
                    <td data-label="Library">{library.name}</td>
                    <td data-label="Version">{library.version}</td>
                    <td data-label="Licence">{library.licence}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </div>
      )}
      <Forget />
    </>
  );
}
