(function () {
  "use strict";
  var form = document.getElementById("filters");
  if (!form) return;
  var field = function (id) { return document.getElementById(id); };
  var all = Array.prototype.slice.call(document.querySelectorAll(".drift"));
  form.hidden = false;
  function apply() {
    var kind = field("f-kind").value, severity = field("f-severity").value, actor = field("f-actor").value;
    var since = field("f-time").value, text = field("f-text").value.toLowerCase(), shown = 0;
    all.forEach(function (one) {
      var data = one.dataset;
      var fits = (!kind || data.kind === kind) && (!severity || data.severity === severity) &&
        (!actor || data.actor.split(" ; ").indexOf(actor) >= 0) && (!since || (data.time && data.time >= since)) &&
        (!text || one.textContent.toLowerCase().indexOf(text) >= 0);
      one.hidden = !fits;
      if (fits) shown += 1;
    });
    field("f-count").textContent = shown + " of " + all.length + " shown";
  }
  form.addEventListener("input", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(apply, 0); });
  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing) { event.preventDefault(); field("f-text").focus(); }
    if (event.key === "Escape" && typing) { form.reset(); event.target.blur(); }
    if ((event.key === "j" || event.key === "k") && !typing) {
      var seen = all.filter(function (one) { return !one.hidden; });
      var at = seen.findIndex(function (one) { return one.contains(document.activeElement); });
      var next = seen[Math.max(0, Math.min(seen.length - 1, at + (event.key === "j" ? 1 : -1)))];
      if (next) next.querySelector("summary").focus();
    }
  });
  window.addEventListener("beforeprint", function () { all.forEach(function (one) { one.open = true; }); });
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("a[href^='#d']");
    var one = link && document.getElementById(link.getAttribute("href").slice(1));
    if (one) { one.hidden = false; one.open = true; }
  });
  apply();
})();
