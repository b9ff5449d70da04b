//! Who is told of finished requests: the access log, the trace collector, the latency facts. Each goes on over a reload
//! that does not change it.

use std::sync::Arc;

use tokio_util::sync::DropGuard;

use super::ground::Ground;
use crate::gateway::file::GatewayFile;
use crate::gateway::seen::{Facts, FactsConfig, LogWriter, OtlpConfig, Spans, Witness};

/// A part that works in the background until nothing needs it any more.
pub struct Working<C, T> {
    config: C,
    /// The part.
    pub part: Arc<T>,
    _stop: DropGuard,
}

/// The parts of one snapshot.
#[derive(Default)]
pub struct Telling {
    /// What requests are told to.
    pub witness: Arc<Witness>,
    log_target: Option<String>,
    spans: Option<Arc<Working<OtlpConfig, Spans>>>,
    facts: Option<Arc<Working<FactsConfig, Facts>>>,
}

impl Telling {
    /// What `file` asks for; nothing, if it is only checked.
    ///
    /// # Errors
    /// What is wrong with it, or a log that cannot be opened.
    pub fn of(file: &GatewayFile, previous: Option<&Self>, ground: &Ground) -> Result<Self, Vec<String>> {
        let policy = file.log.compile()?;
        if ground.journal.is_none() {
            return Ok(Self::default());
        }
        let writer = file.log.enabled.then(|| writer(file, previous)).transpose()?;
        let spans = file
            .otlp
            .as_ref()
            .map(|config| spans(config, previous, ground))
            .transpose()?;
        let facts = file.facts.as_ref().and_then(|config| facts(config, previous, ground));
        Ok(Self {
            witness: Arc::new(Witness {
                log: writer.map(|writer| (policy, writer)),
                spans: spans.as_ref().map(|working| Arc::clone(&working.part)),
                facts: facts.as_ref().map(|working| Arc::clone(&working.part)),
            }),
            log_target: Some(file.log.target.clone()),
            spans,
            facts,
        })
    }

    /// Opens the access log's file again, after it was renamed.
    pub fn reopen(&self) {
        if let Some((_, writer)) = &self.witness.log {
            writer.reopen();
        }
    }

    /// Whether nobody is told of anything.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.witness.log.is_none() && self.witness.spans.is_none() && self.witness.facts.is_none()
    }
}

fn writer(file: &GatewayFile, previous: Option<&Telling>) -> Result<Arc<LogWriter>, Vec<String>> {
    let same = previous.filter(|previous| previous.log_target.as_ref() == Some(&file.log.target));
    if let Some((_, writer)) = same.and_then(|previous| previous.witness.log.as_ref()) {
        return Ok(Arc::clone(writer));
    }
    let target = file.log.target().map_err(|problem| vec![problem])?;
    let opened = LogWriter::open(target).map(Arc::new);
    opened.map_err(|error| vec![format!("target: {error}")])
}

fn spans(
    config: &OtlpConfig,
    previous: Option<&Telling>,
    ground: &Ground,
) -> Result<Arc<Working<OtlpConfig, Spans>>, Vec<String>> {
    let before = previous.and_then(|previous| previous.spans.as_ref());
    if let Some(same) = before.filter(|working| working.config == *config) {
        return Ok(Arc::clone(same));
    }
    let stop = ground.stop.child_token();
    let (part, _task) = Spans::start(config, stop.clone())?;
    Ok(Arc::new(Working {
        config: config.clone(),
        part,
        _stop: stop.drop_guard(),
    }))
}

fn facts(
    config: &FactsConfig,
    previous: Option<&Telling>,
    ground: &Ground,
) -> Option<Arc<Working<FactsConfig, Facts>>> {
    let before = previous.and_then(|previous| previous.facts.as_ref());
    if let Some(same) = before.filter(|working| working.config == *config) {
        return Some(Arc::clone(same));
    }
    let (journal, projects) = (ground.journal.clone()?, ground.projects.clone()?);
    let stop = ground.stop.child_token();
    let part = Facts::new(config.clone(), ground.clock.now());
    tokio::spawn(Arc::clone(&part).run(journal, projects, Arc::clone(&ground.clock), stop.clone()));
    Some(Arc::new(Working {
        config: config.clone(),
        part,
        _stop: stop.drop_guard(),
    }))
}
