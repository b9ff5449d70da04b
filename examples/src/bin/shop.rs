//! One service of the shop behind the gateway of `examples/gateway`: `shop users --port 4001`.

use std::net::Ipv4Addr;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use tokio::net::TcpListener;
use trailmark_examples::shop::Service;

/// One service of a small shop. It believes `X-User-Id`, so only the gateway may reach it: it listens on loopback.
#[derive(Debug, Parser)]
#[command(name = "shop", version)]
struct Args {
    /// Which service
    service: Which,
    /// Where it listens
    #[arg(long)]
    port: u16,
    /// What this instance calls itself in `X-Served-By`; by default service and port
    #[arg(long)]
    name: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// Logins, and who somebody is
    Users,
    /// What somebody has ordered
    Orders,
    /// What somebody is told
    Notifications,
}

impl From<Which> for Service {
    fn from(which: Which) -> Self {
        match which {
            Which::Users => Self::Users,
            Which::Orders => Self::Orders,
            Which::Notifications => Self::Notifications,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Args { service, port, name } = Args::parse();
    let service = Service::from(service);
    let name = name.unwrap_or_else(|| format!("{}-{port}", service.name()));
    match serve(service, port, &name).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {name} cannot serve on port {port}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(service: Service, port: u16, name: &str) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    axum::serve(listener, service.router(name)).await
}
