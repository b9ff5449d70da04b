//! A table of routes and requests to it, both made up: what the table finds, a look at each route finds too.
#![no_main]

use arbitrary::Arbitrary;
use http::Method;
use libfuzzer_sys::fuzz_target;
use trailmark_fuzz::matcher::{self, Line, Template};
use trailmark_server::gateway::routing::{Found, Place, Rewrite, Table};

/// Few names, so that they meet.
const HOSTS: [&str; 6] = [
    "a.example",
    "B.example",
    "*.example",
    "*.a.example",
    "*.b.a.example",
    "example",
];
const NAMES: [&str; 5] = ["a", "b", "ab", "a.b", "%20"];
const METHODS: [&str; 4] = ["GET", "POST", "OPTIONS", "PURGE"];

#[derive(Debug, Arbitrary)]
struct Case {
    routes: Vec<Route>,
    requests: Vec<Asked>,
}

#[derive(Debug, Arbitrary)]
struct Route {
    host: Option<u8>,
    segments: Vec<Segment>,
    end: End,
    methods: u8,
}

#[derive(Debug, Arbitrary)]
enum Segment {
    Name(u8),
    Parameter(u8),
}

#[derive(Debug, Arbitrary)]
enum End {
    Nothing,
    Slash,
    Rest,
    /// All that is below it, as `prefix = …` says.
    Prefix,
}

#[derive(Debug, Arbitrary)]
struct Asked {
    host: Option<u8>,
    path: Vec<u8>,
    slash: bool,
    method: u8,
}

fuzz_target!(|case: Case| {
    let places: Vec<_> = case
        .routes
        .iter()
        .enumerate()
        .map(|(at, route)| (place(route), at))
        .collect();
    let lines: Vec<_> = places.iter().flat_map(|(place, at)| lines(place, *at)).collect();
    let clash = (1..lines.len()).any(|at| lines[..at].iter().any(|earlier| earlier.clashes(&lines[at])));
    let is_long = lines.iter().any(|line| line.text.matches('{').count() > PARAMETERS);
    let table = Table::build(&places);
    assert_eq!(table.is_err(), clash || is_long, "{lines:?}: {:?}", table.err());
    let Ok(table) = table else { return };
    assert!(table.routes().copied().eq(0..places.len()), "in the order of the file");
    case.requests.iter().for_each(|asked| agrees(&table, &lines, asked));
});

/// The most that a template may have; see the table.
const PARAMETERS: usize = trailmark_server::gateway::routing::table::PARAMETERS;

fn place(route: &Route) -> Place {
    let mut path: String = route
        .segments
        .iter()
        .map(|segment| format!("/{}", text(segment)))
        .collect();
    let rest = "/{*rest}";
    let paths = match route.end {
        End::Nothing if path.is_empty() => vec!["/".to_owned()],
        End::Nothing => vec![path],
        End::Slash => vec![path + "/"],
        End::Rest => vec![path + rest],
        End::Prefix if path.is_empty() => vec!["/".to_owned(), rest.to_owned()],
        End::Prefix => {
            path = path.replace(['{', '}'], "");
            vec![path.clone(), format!("{path}/"), format!("{path}{rest}")]
        }
    };
    Place {
        host: route.host.map(|at| chosen(&HOSTS, at).to_owned()),
        paths,
        methods: methods(route.methods)
            .map(|name| name.parse().expect("a method"))
            .collect(),
    }
}

fn text(segment: &Segment) -> String {
    match segment {
        Segment::Name(at) => chosen(&NAMES, *at).to_owned(),
        Segment::Parameter(at) => format!("{{{}}}", ["x", "y", "id"][usize::from(*at) % 3]),
    }
}

fn chosen<'t>(texts: &[&'t str], at: u8) -> &'t str {
    texts[usize::from(at) % texts.len()]
}

fn methods(bits: u8) -> impl Iterator<Item = &'static str> {
    METHODS
        .into_iter()
        .enumerate()
        .filter(move |(at, _)| bits >> at & 1 == 1)
        .map(|(_, name)| name)
}

fn lines(place: &Place, route: usize) -> impl Iterator<Item = Line> {
    let known = |method: &Method| METHODS.into_iter().find(|name| *name == method.as_str());
    place.paths.iter().map(move |text| Line {
        host: place.host.clone(),
        template: Template::read(text),
        text: text.clone(),
        methods: place.methods.iter().filter_map(known).collect(),
        route,
    })
}

fn agrees(table: &Table<usize>, lines: &[Line], asked: &Asked) {
    let host = asked.host.map(|at| {
        chosen(
            &[
                "a.example",
                "A.EXAMPLE",
                "x.b.a.example",
                "b.example",
                "x.example",
                "example",
                "else",
            ],
            at,
        )
    });
    let path: String = asked
        .path
        .iter()
        .map(|at| format!("/{}", chosen(&NAMES, *at)))
        .collect();
    let path = if asked.slash || path.is_empty() {
        path + "/"
    } else {
        path
    };
    let method = chosen(&["GET", "POST", "OPTIONS", "PURGE", "TRACE"], asked.method);
    let expected = matcher::find(lines, host, &path, method);
    let method = method.parse().expect("a method");
    let found = match table.find(host, &path, &method) {
        Found::Route(route, parameters) => {
            the_path_is_its_parts(lines, *route, &path, &parameters.iter().collect::<Vec<_>>());
            matcher::Found::Route(*route, parameters.iter().collect())
        }
        Found::OtherMethods(methods) => {
            let known = |method: &Method| METHODS.into_iter().find(|name| *name == method.as_str());
            matcher::Found::OtherMethods(methods.iter().filter_map(known).collect())
        }
        Found::Nothing => matcher::Found::Nothing,
    };
    assert_eq!(found, expected, "{method} {host:?} {path} among {lines:?}");
}

/// No parameter goes over the border of a segment, and the template filled in with them is the path again.
fn the_path_is_its_parts(lines: &[Line], route: usize, path: &str, parameters: &[(&str, &str)]) {
    let filled = lines.iter().filter(|line| line.route == route).any(|line| {
        let known: Vec<_> = parameters.iter().map(|(name, _)| (*name).to_owned()).collect();
        let template = line.text.replace("{*", "{");
        let value = |name: &str| {
            parameters
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        };
        let filled = Rewrite::parse(&template, &known).map(|template| template.render(value));
        filled.is_ok_and(|filled| filled == path) || names_twice(&known)
    });
    assert!(filled, "{path} is not of {parameters:?}");
    let within = |(name, value): &(&str, &str)| *name == "rest" || !value.contains('/');
    assert!(parameters.iter().all(within), "{path}: {parameters:?}");
}

/// `/{x}/{x}` cannot be filled in by name.
fn names_twice(names: &[String]) -> bool {
    (1..names.len()).any(|at| names[..at].contains(&names[at]))
}
