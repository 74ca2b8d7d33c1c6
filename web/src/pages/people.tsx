// Who may do what: people with passwords, programs with tokens. Both are shown once, when they are made.
import { useSignal, useSignalEffect } from "@preact/signals";
import * as api from "../data/api";
import type { Role, Token, User } from "../data/types";
import { CopyText } from "../ui/copy";
import { ask, Dialog } from "../ui/dialog";
import { Button, Loading, Problem, When } from "../ui/parts";

const ROLES: readonly [Role, string][] = [
  ["viewer", "Viewer – sees everything, changes nothing"],
  ["operator", "Operator – also runs charging"],
  ["admin", "Admin – also decides who may, and what stations trust and run"],
];

const loginWords = (n: number): string => (n === 0 ? "–" : n === 1 ? "once" : `${n} times`);

function RoleField({ value }: { value: Role }) {
  return (
    <label>
      Role
      <select name="role" defaultValue={value}>
        {ROLES.map(([role, words]) => (
          <option key={role} value={role}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Made {
  title: string;
  secret: string;
  text: string;
}

function Shown({ made, onClose }: { made: Made; onClose: () => void }) {
  return (
    <Dialog title={made.title} onClose={onClose}>
      <p>
        <CopyText text={made.secret} />
      </p>
      <p class="notice warn">{made.text} It is shown only now.</p>
      <div class="row end">
        <button type="button" class="button primary" onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

function AddDialog(props: { program: boolean; onClose: () => void; onMade: (made: Made) => void }) {
  const problem = useSignal<unknown>(null);
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const name = String(form.get("name")).trim();
    const role = String(form.get("role")) as Role;
    try {
      if (props.program) {
        const made = await api.addToken(name, role, Number(form.get("days")));
        props.onMade({ title: `Token of ${name}`, secret: made.token, text: "Programs send it as Authorization: Bearer." });
      } else {
        const made = await api.addUser(name, role);
        props.onMade({ title: `Password of ${name}`, secret: made.password ?? "", text: "Its owner can change it." });
      }
    } catch (error) {
      problem.value = error;
    }
  };
  return (
    <Dialog title={props.program ? "Add a token" : "Add a person"} onClose={props.onClose}>
      <form onSubmit={(event) => void save(event)}>
        <label>
          Name
          <input name="name" required maxLength={64} pattern="[A-Za-z0-9_.@+\-]+" autofocus />
          <span class="soft small">Letters, digits, _.@+-</span>
        </label>
        <RoleField value="viewer" />
        {props.program && (
          <label>
            Days until it ends
            <input name="days" type="number" min={1} max={3650} defaultValue="90" required />
          </label>
        )}
        {problem.value !== null && <Problem error={problem.value} />}
        <div class="row end">
          <button type="button" class="button" onClick={props.onClose}>
            Cancel
          </button>
          <button class="button primary">Add</button>
        </div>
      </form>
    </Dialog>
  );
}

export function PeoplePage() {
  const users = useSignal<User[] | null>(null);
  const tokens = useSignal<Token[]>([]);
  const problem = useSignal<unknown>(null);
  const adding = useSignal<"person" | "program" | null>(null);
  const made = useSignal<Made | null>(null);

  const load = async (): Promise<void> => {
    [users.value, tokens.value] = await Promise.all([api.users(), api.tokens()]);
  };
  const run = async (what: () => Promise<unknown>): Promise<void> => {
    problem.value = null;
    try {
      await what();
      await load();
    } catch (error) {
      problem.value = error;
    }
  };
  useSignalEffect(() => {
    void run(() => Promise.resolve());
  });

  const remove = async (user: User): Promise<void> => {
    const yes = await ask(`Remove ${user.name}?`, "The login ends at once, and so do the tokens this account has made.", "Remove");
    if (yes) await run(() => api.removeUser(user.name));
  };
  const renew = async (user: User): Promise<void> => {
    if (!(await ask(`A new password for ${user.name}?`, "The old one no longer works, and the logins with it end.", "Make one"))) return;
    await run(async () => {
      const answer = await api.newPassword(user.name);
      made.value = { title: `Password of ${user.name}`, secret: answer.password ?? "", text: "The old one no longer works." };
    });
  };
  const forget = async (token: Token): Promise<void> => {
    const yes = await ask(`Delete the token ${token.name}?`, "The program that uses it is refused at once.", "Delete");
    if (yes) await run(() => api.removeToken(token.id));
  };
  return (
    <>
      <div class="title">
        <h1>People</h1>
        <span class="grow" />
        <Button needs="admin" icon="plus" onClick={() => (adding.value = "person")}>
          Add a person
        </Button>
        <Button needs="admin" icon="plus" onClick={() => (adding.value = "program")}>
          Add a token
        </Button>
      </div>
      {problem.value !== null && <Problem error={problem.value} />}
      {users.value === null && problem.value === null && <Loading />}
      {users.value && (
        <div class="card">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Role</th>
                <th scope="col">Logged in</th>
                <th scope="col">
                  <span class="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {users.value.map((user) => (
                <tr key={user.name}>
                  <td data-label="Name">{user.name}</td>
                  <td data-label="Role">
                    <select
                      aria-label={`Role of ${user.name}`}
                      value={user.role}
                      onChange={(event) => void run(() => api.setRole(user.name, event.currentTarget.value as Role))}
                    >
                      {ROLES.map(([role]) => (
                        <option key={role} value={role}>
                          {role}
                        </option>
                      ))}
                    </select>
                  </td>
                  <td data-label="Logged in">{loginWords(user.logins)}</td>
                  <td class="right">
                    <Button tone="quiet" onClick={() => void renew(user)}>
                      New password
                    </Button>
                    <Button tone="quiet" onClick={() => void remove(user)}>
                      Remove
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {tokens.value.length > 0 && (
        <section class="card pad">
          <h2>Tokens of programs</h2>
          <ul class="unknown">
            {tokens.value.map((token) => (
              <li key={token.id}>
                <b>{token.name}</b>
                <span class="soft">
                  {token.role} · by {token.made_by || "nobody any more: it is refused"} · ends <When at={token.expires_at} />
                </span>
                <span class="grow" />
                <Button onClick={() => void forget(token)}>Delete</Button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {adding.value && (
        <AddDialog
          program={adding.value === "program"}
          onClose={() => (adding.value = null)}
          onMade={(fresh) => {
            adding.value = null;
            made.value = fresh;
            void run(() => Promise.resolve());
          }}
        />
      )}
      {made.value && <Shown made={made.value} onClose={() => (made.value = null)} />}
    </>
  );
}
