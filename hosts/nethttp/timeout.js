// Warns before the end: docs/timeouts.md
((d) => {
	const say = {
		status: "/session", warn: 120, title: "Your session",
		soon: "Your session ends in {n} seconds.", stay: "Stay signed in",
		over: "Your session has ended.", again: "Sign in",
		...d.currentScript.dataset
	};
	const [box, line, stay, again] = ["dialog", "p", "button", "a"].map((t) => d.createElement(t));
	const warn = Math.max(20, +say.warn || 120) * 1e3, tabs = new BroadcastChannel("session");
	let end = 0, shown = "", timer;

	const later = (f, ms) => (clearTimeout(timer), timer = setTimeout(f, ms));

	const show = (what, n) => {
		if (what) line.textContent = say[what].replace("{n}", n);
		if (shown === what) return;
		box.close();
		if (!(shown = what)) return;
		box.replaceChildren(line, what === "soon" ? stay : again);
		d.body.append(box);
		box.showModal();
		d.dispatchEvent(new Event("session-" + what));
	};

	const tick = () => {
		const left = end - Date.now(), soon = left <= warn, n = Math.max(0, Math.ceil(left / 1e3));
		show(soon ? "soon" : "", n);
		later(soon && n % 10 ? tick : ask, soon ? 1e3 : Math.min(left - warn, 6e5));
	};

	const heard = (next) => {
		clearTimeout(timer);
		if (end && !next) show("over");
		if ((end = next)) tick();
	};

	const ask = async (method) => {
		try {
			const r = await fetch(say.status, { method, credentials: "include" });
			if (!r.ok && r.status !== 401) throw 0;
			const s = r.ok ? await r.json() : {};
			heard(s.signed_in ? Date.now() + s.idle_seconds * 1e3 : 0);
			tabs.postMessage(end);
		} catch {
			later(end ? tick : ask, 5e3);
		}
	};

	Object.assign(box, { id: "session-box", role: "alertdialog", ariaLabel: say.title });
	box.setAttribute("aria-describedby", (line.id = "session-text"));
	stay.textContent = say.stay;
	stay.onclick = () => ask("POST");
	again.textContent = say.again;
	again.href = say.login || "";
	tabs.onmessage = (e) => heard(e.data);
	d.addEventListener("visibilitychange", () => d.hidden || ask());
	ask();
})(document);
