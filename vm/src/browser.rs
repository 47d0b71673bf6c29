// SPDX-License-Identifier: MIT OR Apache-2.0
//! A real browser looks at the page: headless Chromium, told what to do over two pipes (`--remote-debugging-pipe`: JSON
//! messages that end with a zero byte), so that no port is opened and no driver is needed.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use ground::{
    context::Ctx,
    exec,
    outcome::{Count, Done},
    tools,
};
use results::Status;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use crate::toolbox::BROWSER;

/// Widths that the page has to fit into.
const WIDTHS: [u32; 2] = [360, 1440];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// For one answer, on a busy host.
const PATIENCE: Duration = Duration::from_secs(180);

/// Descriptors 3 and 4 are what Chromium reads and writes; its own output goes nowhere.
const PIPES: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// Renders `page` at each width in each scheme, and writes what it looks like into `folder`.
///
/// # Errors
/// When Chromium cannot be had or does not answer.
pub fn check(ctx: &Ctx, page: &Path, folder: &Path) -> Result<Done> {
    let profile = folder.join(".chromium");
    let mut count = Count::default();
    let started = ctx
        .phase("chromium", || tools::ensure(ctx, &[BROWSER], false))
        .and_then(|()| exec::which("chromium").context("there is no chromium in PATH"))
        .and_then(|chromium| Browser::start(&chromium, &profile));
    let mut browser = match started {
        Ok(browser) => browser,
        Err(why) => {
            ctx.still_wanted()?;
            ctx.events
                .note(format!("skipped: the look at the page, since chromium cannot run here: {why:#}"));
            count.add(Status::Skip);
            return Ok(Done::counted(count));
        }
    };
    let found = look(ctx, &mut browser, page, folder);
    drop(browser);
    let _ = fs::remove_dir_all(&profile);
    for (what, fault) in found? {
        count.add(if fault.is_none() { Status::Pass } else { Status::Fail });
        ctx.events.note(format!("{what}: {}", fault.as_deref().unwrap_or("as it should be")));
    }
    Ok(Done::counted(count))
}

/// The same for a page that is there already, if a browser is there already as well: nothing is installed for it.
///
/// # Errors
/// As [`check`].
pub fn check_if_there(ctx: &Ctx, page: &Path) -> Result<Done> {
    if exec::which("chromium").is_none() {
        ctx.events.note("skipped: the look at the report: there is no chromium here (`cargo xtask report --check` installs it)");
        return Ok(Done::counted(Count { skipped: 1, ..Count::default() }));
    }
    let folder = ctx.target.join("report");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    check(ctx, page, &folder)
}

/// Each thing that was looked at, with what is wrong with it.
type Findings = Vec<(String, Option<String>)>;

fn look(ctx: &Ctx, browser: &mut Browser, page: &Path, folder: &Path) -> Result<Findings> {
    let mut found = Findings::new();
    for scheme in SCHEMES {
        for width in WIDTHS {
            ctx.still_wanted()?;
            browser.show(page, width, scheme)?;
            let wide = browser.number("document.scrollingElement.scrollWidth")?;
            let fits = wide <= f64::from(width);
            let fault = (!fits).then(|| format!("it is {wide} pixels wide"));
            found.push((format!("{width} pixels, {scheme}: no overflow"), fault));
            let alternatives = "[...document.querySelectorAll('svg')].filter(s => !(s.getAttribute('role') == 'img' && \
                 s.querySelector('title')?.textContent)).length";
            let bare = browser.number(alternatives)?;
            let fault = (bare > 0.0).then(|| format!("{bare} charts have none"));
            found.push((format!("{width} pixels, {scheme}: text alternatives"), fault));
            let file = folder.join(format!("{width}-{scheme}.png"));
            let height = browser.number("document.documentElement.scrollHeight")?;
            browser.picture(&file, width, height)?;
        }
    }
    let complaints = browser.complaints.clone();
    let fault = (!complaints.is_empty()).then(|| complaints.join("; "));
    found.push(("console".into(), fault));
    let fetched: Vec<String> = browser
        .fetched
        .iter()
        .filter(|url| !url.starts_with("file:") && !url.starts_with("data:"))
        .cloned()
        .collect();
    let fault = (!fetched.is_empty()).then(|| fetched.join("; "));
    found.push(("nothing is fetched".into(), fault));
    Ok(found)
}

/// A running Chromium with one tab.
struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: Option<String>,
    last: u64,
    loaded: bool,
    complaints: Vec<String>,
    fetched: Vec<String>,
}

impl Browser {
    fn start(chromium: &Path, profile: &Path) -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", PIPES, "sh"]).arg(chromium);
        command.args([
            "--headless=new",
            "--remote-debugging-pipe",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--hide-scrollbars",
        ]);
        command.arg(format!("--user-data-dir={}", profile.display())).arg("about:blank");
        // It ends by itself once the pipe is closed, by whatever ends this program.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().context("cannot start chromium")?;
        let (to, out) = child.stdin.take().zip(child.stdout.take()).context("chromium has no pipes")?;
        let (send, from) = mpsc::channel();
        thread::spawn(move || {
            let mut out = BufReader::new(out);
            let mut bytes = Vec::new();
            while matches!(out.read_until(0, &mut bytes), Ok(n) if n > 0) {
                bytes.pop();
                if let Ok(message) = serde_json::from_slice(&bytes)
                    && send.send(message).is_err()
                {
                    return;
                }
                bytes.clear();
            }
        });
        let mut browser = Self {
            child,
            to,
            from,
            session: None,
            last: 0,
            loaded: false,
            complaints: Vec::new(),
            fetched: Vec::new(),
        };
        let target = browser.ask("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.ask("Target.attachToTarget", &attach)?["sessionId"].as_str().map(str::to_owned);
        browser.session = session;
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), &json!({}))?;
        }
        Ok(browser)
    }

    /// Sends a command and waits for its answer; what else is said meanwhile is kept.
    fn ask(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut line = message.to_string().into_bytes();
        line.push(0);
        let sent = self.to.write_all(&line).and_then(|()| self.to.flush());
        sent.context(
            "chromium ended: `chromium --headless=new --no-sandbox --dump-dom about:blank` says why",
        )?;
        let until = Instant::now() + PATIENCE;
        loop {
            let said = self.next(until).with_context(|| format!("chromium does not answer {method}"))?;
            if said["id"] == json!(self.last) {
                if let Some(error) = said.get("error") {
                    bail!("chromium refuses {method}: {error}");
                }
                return Ok(said["result"].clone());
            }
        }
    }

    fn next(&mut self, until: Instant) -> Result<Value> {
        let said = self.from.recv_timeout(until.saturating_duration_since(Instant::now()))?;
        let params = &said["params"];
        match said["method"].as_str() {
            Some("Page.loadEventFired") => self.loaded = true,
            Some("Network.requestWillBeSent") => {
                self.fetched.extend(params["request"]["url"].as_str().map(str::to_owned));
            }
            Some("Log.entryAdded") => {
                self.complaints.extend(params["entry"]["text"].as_str().map(str::to_owned));
            }
            Some("Runtime.consoleAPICalled") => self.complaints.push(params["args"].to_string()),
            Some("Runtime.exceptionThrown") => self.complaints.push(params["exceptionDetails"].to_string()),
            _ => {}
        }
        Ok(said)
    }

    fn show(&mut self, page: &Path, width: u32, scheme: &str) -> Result<()> {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.ask("Emulation.setDeviceMetricsOverride", &metrics)?;
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.ask("Emulation.setEmulatedMedia", &features)?;
        self.loaded = false;
        self.ask("Page.navigate", &json!({"url": format!("file://{}", page.display())}))?;
        let until = Instant::now() + PATIENCE;
        while !self.loaded {
            self.next(until).context("chromium does not load the page")?;
        }
        Ok(())
    }

    fn number(&mut self, expression: &str) -> Result<f64> {
        let answer =
            self.ask("Runtime.evaluate", &json!({"expression": expression, "returnByValue": true}))?;
        answer["result"]["value"].as_f64().with_context(|| format!("`{expression}` is no number: {answer}"))
    }

    /// What is above `height`.
    fn picture(&mut self, file: &Path, width: u32, height: f64) -> Result<()> {
        // Chromium draws no more.
        let height = height.min(16_000.0);
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let shot = self.ask(
            "Page.captureScreenshot",
            &json!({"format": "png", "captureBeyondViewport": true, "clip": clip}),
        )?;
        let bytes = BASE64_STANDARD.decode(shot["data"].as_str().unwrap_or_default())?;
        fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may be gone already.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
