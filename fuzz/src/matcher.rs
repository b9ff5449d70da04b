//! Which of many routes takes a request, by looking at each of them.
//!
//! A template is read character by character. Of several that match, the one is taken whose first different piece says
//! more: a character more than a parameter, a parameter more than a rest.

/// A piece of a path template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// This character.
    Character(char),
    /// The rest of a segment, not empty.
    Parameter,
    /// The rest of the path, not empty.
    Rest,
}

/// A path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
    names: Vec<String>,
}

impl Template {
    /// Reads `/a/{b}/{*rest}`.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let (mut pieces, mut names) = (Vec::new(), Vec::new());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let Some((name, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
                pieces.push(Piece::Character(first));
                rest = &rest[first.len_utf8()..];
                continue;
            };
            let is_rest = name.starts_with('*');
            pieces.push(if is_rest { Piece::Rest } else { Piece::Parameter });
            names.push(name.trim_start_matches('*').to_owned());
            rest = after;
        }
        Self { pieces, names }
    }

    /// The parameters of a path that it matches, by name.
    #[must_use]
    pub fn matches<'p>(&self, path: &'p str) -> Option<Vec<(&str, &'p str)>> {
        let values = values(&self.pieces, path)?;
        Some(self.names.iter().map(String::as_str).zip(values).collect())
    }

    /// Whether two templates cannot be told apart: the same but for names, or a parameter in one where the other has a rest.
    #[must_use]
    pub fn clashes(&self, other: &Self) -> bool {
        let mut pairs = self.pieces.iter().zip(&other.pieces);
        match pairs.find(|(one, other)| one != other) {
            Some(pair) => matches!(pair, (Piece::Parameter, Piece::Rest) | (Piece::Rest, Piece::Parameter)),
            None => self.pieces.len() == other.pieces.len(),
        }
    }

    /// What it is sorted by among those that match one path.
    fn generality(&self) -> Vec<u8> {
        let general = |piece: &Piece| match piece {
            Piece::Character(_) => 0,
            Piece::Parameter => 1,
            Piece::Rest => 2,
        };
        self.pieces.iter().map(general).collect()
    }
}

fn values<'p>(pieces: &[Piece], path: &'p str) -> Option<Vec<&'p str>> {
    let Some((first, pieces)) = pieces.split_first() else {
        return path.is_empty().then(Vec::new);
    };
    let end = match first {
        Piece::Character(character) => return values(pieces, path.strip_prefix(*character)?),
        Piece::Parameter => path.find('/').unwrap_or(path.len()),
        Piece::Rest => path.len(),
    };
    let (value, path) = path.split_at(end);
    let mut all = vec![value];
    all.extend(values(pieces, path).filter(|_| !value.is_empty())?);
    Some(all)
}

/// A template at a host, with the methods it takes: none means all.
#[derive(Debug, Clone)]
pub struct Line {
    /// `a.example`, `*.example`, or any.
    pub host: Option<String>,
    /// Which paths.
    pub template: Template,
    /// The template as it was written.
    pub text: String,
    /// Which methods.
    pub methods: Vec<&'static str>,
    /// Which route it is of.
    pub route: usize,
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'l, 'p> {
    /// This route, with these parameters.
    Route(usize, Vec<(&'l str, &'p str)>),
    /// Only other methods, these.
    OtherMethods(Vec<&'static str>),
    /// Nothing.
    Nothing,
}

impl Line {
    /// Whether both want the same requests.
    #[must_use]
    pub fn clashes(&self, other: &Self) -> bool {
        let is_one_host = self.host.as_deref().map(str::to_lowercase) == other.host.as_deref().map(str::to_lowercase);
        let methods = || {
            let either_all = self.methods.is_empty() || other.methods.is_empty();
            either_all || self.methods.iter().any(|method| other.methods.contains(method))
        };
        is_one_host
            && match self.text == other.text {
                true => methods(),
                false => self.template.clashes(&other.template),
            }
    }

    fn takes(&self, method: &str) -> bool {
        match self.methods.is_empty() {
            true => method != "TRACE",
            false => self.methods.contains(&method),
        }
    }

    /// How near its host is to the one that is asked for: the host itself, then names below which it is, the longest
    /// first, then any host.
    fn nearness(&self, host: Option<&str>) -> Option<usize> {
        let Some(wanted) = self.host.as_deref().map(str::to_lowercase) else {
            return Some(0);
        };
        let host = host?.to_lowercase();
        match wanted.strip_prefix('*') {
            Some(below) => host.ends_with(below).then_some(wanted.len()),
            None => (wanted == host).then_some(usize::MAX),
        }
    }
}

/// The route for a request: of the nearest host that has one for its path and method.
#[must_use]
pub fn find<'l, 'p>(lines: &'l [Line], host: Option<&str>, path: &'p str, method: &str) -> Found<'l, 'p> {
    let mut sites: Vec<_> = lines.iter().filter_map(|line| line.nearness(host)).collect();
    sites.sort_unstable();
    sites.dedup();
    // Of all the names below which a host is, only the longest that routes speak of is looked at.
    let below = sites.iter().rev().find(|site| (1..usize::MAX).contains(*site)).copied();
    sites.retain(|site| matches!(*site, 0 | usize::MAX) || Some(*site) == below);
    let mut others = Vec::new();
    for site in sites.into_iter().rev() {
        let here = lines.iter().filter(|line| line.nearness(host) == Some(site));
        let matching: Vec<_> = here.filter(|line| line.template.matches(path).is_some()).collect();
        let Some(best) = matching.iter().map(|line| line.template.generality()).min() else {
            continue;
        };
        let best = || matching.iter().filter(|line| line.template.generality() == best);
        if let Some(line) = best().find(|line| line.takes(method)) {
            return Found::Route(line.route, line.template.matches(path).unwrap_or_default());
        }
        others.extend(best().flat_map(|line| line.methods.iter().copied()));
    }
    match others.is_empty() {
        true => Found::Nothing,
        false => Found::OtherMethods(others),
    }
}
