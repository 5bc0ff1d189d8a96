"""Charts for every app: a figure is numbers with a sentence, drawn once as SVG on the server, and taken along as a workbook."""
