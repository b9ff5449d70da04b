import { Route, Router } from 'preact-iso';
import '../../styles/settings.css';
import { NotFound } from '../not-found';
import { AlertPage } from './alerts/alert';
import { AlertList } from './alerts/list';
import { Gateway } from './gateway/gateway';
import { KeyList } from './keys/keys';
import { ProjectPage } from './project/project';
import { ServerPage } from './server/server';
import { UserList } from './users/users';

/** What is set up once, and by whom. */
export default function Settings() {
  return (
    <Router>
      <Route path="/" component={ProjectPage} />
      <Route path="/project" component={ProjectPage} />
      <Route path="/keys" component={KeyList} />
      <Route path="/users" component={UserList} />
      <Route path="/alerts" component={AlertList} />
      <Route path="/alerts/:id" component={AlertPage} />
      <Route path="/server" component={ServerPage} />
      <Route path="/gateway" component={Gateway} />
      <Route default component={NotFound} />
    </Router>
  );
}
