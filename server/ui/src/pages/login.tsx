import { useState } from 'preact/hooks';
import { useAction } from '../api/use';
import { Button, Field, Refused } from '../parts/form';
import { logIn } from '../session';
import { Bare } from '../shell/bare';

/** Who are you? */
export function Login() {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const login = useAction(() => logIn(email, password));
  const submit = (event: Event) => {
    event.preventDefault();
    void login.run();
  };
  return (
    <Bare title="Sign in">
      <form class="stack" onSubmit={submit}>
        <Field
          label="E-mail"
          type="email"
          name="email"
          autocomplete="username"
          required
          value={email}
          onValue={setEmail}
        />
        <Field
          label="Password"
          type="password"
          name="password"
          autocomplete="current-password"
          required
          value={password}
          onValue={setPassword}
        />
        <Refused refusal={login.refusal} />
        <Button kind="primary" type="submit" busy={login.busy}>
          Sign in
        </Button>
      </form>
    </Bare>
  );
}
