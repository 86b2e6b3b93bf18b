/// The colours of a plot, as SVG takes them.
///
/// Series have the colours of Okabe and Ito ("Color universal design", 2008), told apart with any colour vision; they are told apart by
/// dashes, markers and labels as well.
package struct Palette: Sendable {
    package let text: String
    package let muted: String
    package let grid: String
    package let background: String
    package let first: String
    package let second: String
    package let third: String
    /// Full cells of a confusion matrix; emptier ones let the background through.
    package let heat: String
    package let heatText: String

    /// A file of its own: black on white.
    package static let file = Palette(
        text: "#1b1f24", muted: "#57606a", grid: "#d5dae0", background: "#ffffff", first: "#0072b2", second: "#c14e00", third: "#007a5a",
        heat: "#0072b2", heatText: "#000000")

    /// In a page that defines the colours for light and for dark (`PageStyle`).
    package static let page = Palette(
        text: "var(--text)", muted: "var(--muted)", grid: "var(--grid)", background: "var(--card)", first: "var(--first)",
        second: "var(--second)", third: "var(--third)", heat: "var(--heat)", heatText: "var(--heat-text)")
}
