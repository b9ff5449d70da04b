import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { answer, GET, POST } from '../api/client';
import type { paths } from '../api/schema';
import type { Role } from '../api/types';
import { useAction, useAnswer } from '../api/use';
import { Button, Field, Refused } from '../parts/form';
import { begin } from '../session';
import { Bare } from '../shell/bare';

type Invitation = paths['/api/auth/invitation']['get']['responses'][200]['content']['application/json'];

const MAY: Record<Role, string> = {
  owner: 'As an owner you may do everything, and invite others.',
  admin: 'As an admin you may change everything but who else is here.',
  viewer: 'As a viewer you may look at everything, and change nothing.',
};

/** Where a link leads that works once. Its secret is behind the `#`, which browsers send to nobody. */
export default function Welcome() {
  const [token] = useState(() => location.hash.slice(1));
  const invitation = useAnswer(
    (signal) => answer(GET('/api/auth/invitation', { headers: { Authorization: `Bearer ${token}` }, signal })),
    [token],
  );
  if (token === '' || invitation.refusal?.status === 401) return <Dead />;
  if (!invitation.data) {
    return (
      <Bare title="Welcome">
        <Refused refusal={invitation.refusal} again={invitation.again} />
        {invitation.loading && <p class="muted">Looking at your link…</p>}
      </Bare>
    );
  }
  return <Accept token={token} invitation={invitation.data} />;
}

function Accept({ token, invitation }: { token: string; invitation: Invitation }) {
  const { route } = useLocation();
  const named = invitation.user ?? invitation.email;
  const [email, setEmail] = useState(named ?? '');
  const [password, setPassword] = useState('');
  const [shown, setShown] = useState(false);
  const accept = useAction(async () => {
    begin(await answer(POST('/api/auth/accept', { body: { invitation: token, email, password } })));
    route(invitation.first ? '/start' : '/', true);
  });
  const submit = (event: Event) => {
    event.preventDefault();
    void accept.run();
  };
  return (
    <Bare title={invitation.user ? 'Choose a new password' : 'Welcome to Trailmark'}>
      <p class="muted">{wordsOf(invitation)}</p>
      <form class="stack" onSubmit={submit}>
        <Field
          label="E-mail"
          type="email"
          name="email"
          autocomplete="username"
          required
          disabled={named !== null}
          value={email}
          onValue={setEmail}
        />
        <Field
          label="Password"
          type={shown ? 'text' : 'password'}
          name="password"
          autocomplete="new-password"
          required
          minLength={15}
          hint="At least 15 characters. A few words that come to your mind are easy to keep."
          value={password}
          onValue={setPassword}
        />
        <label class="row">
          <input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
          Show it
        </label>
        <Refused refusal={accept.refusal} />
        <Button kind="primary" type="submit" busy={accept.busy}>
          {deedOf(invitation)}
        </Button>
      </form>
    </Bare>
  );
}

function wordsOf(invitation: Invitation): string {
  if (invitation.user) return 'Your old password ends with it, and so does every session.';
  const may = MAY[invitation.role as Role] ?? '';
  return invitation.first ? `You are the first here. ${may}` : may;
}

function deedOf(invitation: Invitation): string {
  if (invitation.user) return 'Set the password';
  return invitation.first ? 'Become the owner' : 'Join';
}

/** The link works no more, and what to do then. */
function Dead() {
  return (
    <Bare title="This link does not work">
      <p>It works once, and for some days at most. This one was used already, has expired, or was taken back.</p>
      <p>
        If <code>trailmark serve</code> printed it: start that again. It prints a new one as long as nobody has
        accepted.
      </p>
      <p>If you were invited, or want a new password: ask an owner for another link.</p>
      {/* `_top`: loaded anew, so that a session that is there already is found. */}
      <p>
        <a class="button primary" href="/" target="_top">
          Sign in
        </a>
      </p>
    </Bare>
  );
}
