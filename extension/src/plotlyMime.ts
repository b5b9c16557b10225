/** MIME type of plotly figures, as the plotly package writes it. */
export const PLOTLY_MIME = "application/vnd.plotly.v1+json";
