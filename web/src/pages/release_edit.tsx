// What a person adds to a release: the models it is for, and OCPP's own signature over its file.
import { useSignal } from "@preact/signals";
import { base64, changeRelease, readModels, type Release, type ReleaseChange } from "../data/releases";
import { Dialog } from "../ui/dialog";
import { Problem } from "../ui/parts";

export function ReleaseEdit({ release, onClose, onDone }: { release: Release; onClose: () => void; onDone: () => void }) {
  const problem = useSignal<unknown>(null);
  const busy = useSignal(false);
  const send = async (change: ReleaseChange): Promise<void> => {
    busy.value = true;
    problem.value = null;
    try {
      await changeRelease(release.id, change);
      onDone();
    } catch (error) {
      problem.value = error;
    }
    busy.value = false;
  };
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const [certificate, signature] = [form.get("certificate") as File, form.get("signature") as File];
    const change: ReleaseChange = { models: readModels(String(form.get("models"))) };
    if (certificate.size > 0 || signature.size > 0) {
      change.certificate = await certificate.text();
      change.signature = base64(new Uint8Array(await signature.arrayBuffer()));
    }
    await send(change);
  };
  const known = release.models.map((m) => m.model);
  return (
    <Dialog title={`${release.manifest.product} ${release.manifest.version}`} onClose={onClose}>
      <form class="releaseedit" onSubmit={(event) => void save(event)}>
        <label>
          Only for models
          <textarea name="models" rows={3} defaultValue={release.only_models.join("\n")} />
          <span class="soft small">
            One a line; none: as the release says for itself.{known.length > 0 && ` Here are ${known.join(", ")}.`}
          </span>
        </label>
        <fieldset>
          <legend>OCPP signature</legend>
          <p class="soft small">
            With it stations are sent SignedUpdateFirmware. It is made over this very file: <code>openssl dgst -sha256 -sign KEY -out FILE.sig FILE.pwr</code>
          </p>
          <label>
            Certificate of who signed (PEM)
            <input type="file" name="certificate" accept=".pem,.crt,.cer" />
          </label>
          <label>
            Signature
            <input type="file" name="signature" />
          </label>
          {release.ocpp_signed && (
            <button type="button" class="button small" disabled={busy.value} onClick={() => void send({ certificate: "", signature: "" })}>
              Take the signature away
            </button>
          )}
        </fieldset>
        {problem.value !== null && <Problem error={problem.value} />}
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button primary" disabled={busy.value}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}
