// Classic and blocking, so that the chosen theme is there before the first paint.
(function () {
  try {
    var theme = localStorage.getItem('theme');
    if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  } catch (error) {
    // storage may be forbidden: the system's theme serves
  }
  // Browsers load no modules from disk: a page opened there takes them from the server that it is to use.
  var disk = location.protocol === 'file:';
  var endpoint = new URLSearchParams(location.search).get('endpoint') || document.documentElement.dataset.endpoint || 'http://localhost:5000';
  var own = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  var script = document.createElement('script');
  var early = document.createElement('link');
  script.type = 'module';
  script.src = disk ? endpoint.replace(/\/+$/, '') + '/static/js/disk.js' : new URL('main.js', own).href;
  script.onerror = function () {
    var told = document.createElement('p');
    told.className = 'plain';
    told.textContent = disk ? 'The server at ' + endpoint + ' does not answer, or does not allow pages opened from disk: '
      + "start it with PHOTO_ALLOWED_ORIGINS='[\"null\"]'." : 'The server does not answer. Load the page again.';
    document.body.prepend(told);
  };
  early.rel = 'modulepreload';
  early.href = script.src;
  document.head.append(early);
  addEventListener('DOMContentLoaded', function () {
    document.head.append(script);
  });
})();
