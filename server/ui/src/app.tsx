import { ErrorBoundary, LocationProvider, lazy, Route, Router } from 'preact-iso';
import { projectId } from './api/client';
import { Login } from './pages/login';
import { NotFound } from './pages/not-found';
import { Now } from './pages/now/now';
import { user } from './session';
import { Shell } from './shell/shell';

// The first screen is in the first file; all else comes when somebody goes there.
const Welcome = lazy(() => import('./pages/welcome'));
const Shared = lazy(() => import('./pages/shared'));
const Start = lazy(() => import('./pages/start/start'));
const Live = lazy(() => import('./pages/live/live'));
const Explore = lazy(() => import('./pages/explore/explore'));
const Cohorts = lazy(() => import('./pages/explore/cohorts'));
const Dashboards = lazy(() => import('./pages/dashboards/dashboards'));
const Dashboard = lazy(() => import('./pages/dashboards/dashboard'));
const People = lazy(() => import('./pages/people/people'));
const Person = lazy(() => import('./pages/people/person'));
const Health = lazy(() => import('./pages/health/health'));
const Settings = lazy(() => import('./pages/settings/settings'));

export function App() {
  return (
    <LocationProvider>
      <ErrorBoundary onError={(error) => console.error(error)}>
        <Router>
          <Route path="/welcome" component={Welcome} />
          <Route path="/shared" component={Shared} />
          <Route path="/*" component={Inside} />
          <Route default component={Inside} />
        </Router>
      </ErrorBoundary>
    </LocationProvider>
  );
}

/** What takes a login. */
function Inside() {
  if (!user.value) return <Login />;
  return (
    <Shell>
      <ErrorBoundary onError={(error) => console.error(error)}>
        {projectId.value === null ? <Start /> : <Pages key={projectId.value} />}
      </ErrorBoundary>
    </Shell>
  );
}

function Pages() {
  return (
    <Router>
      <Route path="/" component={Now} />
      <Route path="/start" component={Start} />
      <Route path="/live" component={Live} />
      <Route path="/explore" component={Explore} />
      <Route path="/explore/cohorts" component={Cohorts} />
      <Route path="/dashboards" component={Dashboards} />
      <Route path="/dashboards/:id" component={Dashboard} />
      <Route path="/people" component={People} />
      <Route path="/people/:id" component={Person} />
      <Route path="/health" component={Health} />
      <Route path="/health/*" component={Health} />
      <Route path="/settings" component={Settings} />
      <Route path="/settings/*" component={Settings} />
      <Route default component={NotFound} />
    </Router>
  );
}
