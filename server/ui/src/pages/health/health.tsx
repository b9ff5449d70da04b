import { lazy, Route, Router } from 'preact-iso';
import '../../styles/health.css';
import { NotFound } from '../not-found';
import { Delivery } from './delivery/delivery';
import { EndpointList } from './endpoints/list';
import { IssuePage } from './errors/issue';
import { IssueList } from './errors/list';
import { JobPage } from './jobs/job';
import { JobList } from './jobs/list';
import { MonitorList } from './monitors/list';
import { MonitorPage } from './monitors/monitor';
import { ProblemList } from './problems/list';

// It draws charts, which are heavier than all other pages here.
const Endpoint = lazy(() => import('./endpoints/endpoint'));

/** How the product and the server fare. */
export default function Health() {
  return (
    <Router>
      <Route path="/" component={IssueList} />
      <Route path="/errors" component={IssueList} />
      <Route path="/errors/:number" component={IssuePage} />
      <Route path="/monitors" component={MonitorList} />
      <Route path="/monitors/:id" component={MonitorPage} />
      <Route path="/endpoints" component={EndpointList} />
      <Route path="/endpoints/one" component={Endpoint} />
      <Route path="/delivery" component={Delivery} />
      <Route path="/jobs" component={JobList} />
      <Route path="/jobs/:name" component={JobPage} />
      <Route path="/problems" component={ProblemList} />
      <Route default component={NotFound} />
    </Router>
  );
}
