import { render } from 'preact';
import './styles/base.css';
import './styles/parts.css';
import './styles/shell.css';
import './theme';
import { App } from './app';
import { resume, user } from './session';

// A link that carries a secret of its own needs no session, and a login that is to come asks for nothing first.
if (location.pathname === '/welcome' || location.pathname === '/shared') user.value = null;
else await resume();

const root = document.getElementById('app');
if (root) render(<App />, root);
