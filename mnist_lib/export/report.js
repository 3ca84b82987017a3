// Without the mode bar and without dragging: a finger on a figure scrolls the page.
for (const place of document.querySelectorAll(".figure")) {
  const figure = JSON.parse(place.previousElementSibling.textContent);
  Plotly.newPlot(place, figure.data, figure.layout, {responsive: true, displayModeBar: false, showTips: false});
}
