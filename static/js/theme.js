// Classic and blocking, so that the chosen theme is there before the first paint.
try {
  var theme = localStorage.getItem('theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
} catch (error) {
  // storage may be forbidden: the system's theme serves
}
