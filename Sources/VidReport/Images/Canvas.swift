import CCairo
import VidSystem
import VidTensor

/// A picture of pixels, rectangles and text, drawn by cairo and written as PNG.
///
/// Coordinates are pixels from the upper left corner, x to the right, y down.
package final class Canvas {
    package let width: Int
    package let height: Int
    private let surface: OpaquePointer
    private let context: OpaquePointer

    /// A colour, each channel from 0 to 1.
    package struct Color: Sendable, Equatable {
        package var red: Double
        package var green: Double
        package var blue: Double
        package var alpha: Double

        package init(_ red: Double, _ green: Double, _ blue: Double, alpha: Double = 1) {
            (self.red, self.green, self.blue, self.alpha) = (red, green, blue, alpha)
        }

        package static let black = Color(0, 0, 0)
        package static let white = Color(1, 1, 1)
    }

    /// The part of a text that is at its point, as SVG names it.
    package enum Anchor: String, Sendable { case start, middle, end }

    /// cairo, whose version is such as `1.16.0`. Asking for it loads it.
    package static let library = LazyLibrary(
        "cairo", for: "pictures and reports", packages: "libcairo2 fonts-dejavu-core", load: vc_cairo_load, readVersion: vc_cairo_version)

    /// The most pixels of a side: cairo's own limit.
    package static let largestSide = 32767

    /// - Parameters: sides in pixels, from 1 to ``largestSide``.
    /// - Throws: `.missingInput` if cairo is not installed.
    package init(width: Int, height: Int, background: Color = .white) throws {
        try Canvas.library.require()
        guard (1...Canvas.largestSide).contains(width), (1...Canvas.largestSide).contains(height),
            let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height)),
            let context = cairo_create(surface)
        else {
            throw VidclassError(
                .other, "a picture of \(width) x \(height) pixels cannot be drawn; a side has 1 to \(Canvas.largestSide) pixels")
        }
        self.width = width
        self.height = height
        self.surface = surface
        self.context = context
        fill(x: 0, y: 0, width: Double(width), height: Double(height), background)
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    /// Fills a rectangle.
    package func fill(x: Double, y: Double, width: Double, height: Double, _ color: Color) {
        set(color)
        cairo_rectangle(context, x, y, width, height)
        cairo_fill(context)
    }

    /// Draws an image, bytes (rows, columns, 3) of red, green, blue, stretched to a rectangle.
    package func draw(rgb: [UInt8], rows: Int, columns: Int, x: Double, y: Double, width: Double, height: Double) {
        precondition(rgb.count == rows * columns * 3, "\(rgb.count) bytes are no \(rows) x \(columns) x 3")
        guard let image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(columns), Int32(rows)) else { return }
        defer { cairo_surface_destroy(image) }
        cairo_surface_flush(image)
        let stride = Int(cairo_image_surface_get_stride(image))
        guard let pixels = cairo_image_surface_get_data(image) else { return }
        for row in 0..<rows {
            UnsafeMutableRawPointer(pixels + row * stride).withMemoryRebound(to: UInt32.self, capacity: columns) { line in
                for column in 0..<columns {
                    let at = (row * columns + column) * 3
                    line[column] = UInt32(rgb[at]) << 16 | UInt32(rgb[at + 1]) << 8 | UInt32(rgb[at + 2])
                }
            }
        }
        cairo_surface_mark_dirty(image)
        cairo_save(context)
        cairo_translate(context, x, y)
        cairo_scale(context, width / Double(columns), height / Double(rows))
        cairo_set_source_surface(context, image, 0, 0)
        cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_GOOD)
        cairo_pattern_set_extend(cairo_get_source(context), CAIRO_EXTEND_PAD)
        cairo_rectangle(context, 0, 0, Double(columns), Double(rows))
        cairo_fill(context)
        cairo_restore(context)
    }

    /// Writes a line of text whose baseline begins, has its middle or ends at (x, y).
    ///
    /// - Parameter turn: the angle about (x, y) in degrees, clockwise.
    package func text(
        _ text: String, x: Double, y: Double, size: Double, _ color: Color = .black, anchor: Anchor = .start, isBold: Bool = false,
        turn: Double = 0
    ) {
        let width = textWidth(text, size: size, isBold: isBold)
        cairo_save(context)
        cairo_translate(context, x, y)
        cairo_rotate(context, turn * Double.pi / 180)
        set(color)
        cairo_move_to(context, anchor == .start ? 0 : anchor == .middle ? -width / 2 : -width, 0)
        cairo_show_text(context, text)
        cairo_restore(context)
    }

    /// The width of a line of text in pixels.
    package func textWidth(_ text: String, size: Double, isBold: Bool = false) -> Double {
        cairo_select_font_face(context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, isBold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
        cairo_set_font_size(context, size)
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, text, &extents)
        return extents.x_advance
    }

    /// The pixels, (height, width, 3) of red, green, blue.
    package var rgb: [UInt8] {
        cairo_surface_flush(surface)
        guard let pixels = cairo_image_surface_get_data(surface) else { return [] }
        let stride = Int(cairo_image_surface_get_stride(surface))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(width * height * 3)
        for row in 0..<height {
            UnsafeRawPointer(pixels + row * stride).withMemoryRebound(to: UInt32.self, capacity: width) { line in
                for column in 0..<width {
                    bytes += [UInt8(line[column] >> 16 & 255), UInt8(line[column] >> 8 & 255), UInt8(line[column] & 255)]
                }
            }
        }
        return bytes
    }

    /// The picture as a PNG file's bytes.
    package func png() throws -> [UInt8] {
        let sink = PNGSink()
        let status = cairo_surface_write_to_png_stream(
            surface,
            { closure, bytes, count in
                guard let closure else { return CAIRO_STATUS_WRITE_ERROR }
                Unmanaged<PNGSink>.fromOpaque(closure).takeUnretainedValue().bytes += UnsafeBufferPointer(start: bytes, count: Int(count))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(sink).toOpaque())
        guard status == CAIRO_STATUS_SUCCESS else {
            throw VidclassError(.other, "a PNG picture could not be encoded: \(String(cString: cairo_status_to_string(status)))")
        }
        return withExtendedLifetime(sink) { sink.bytes }
    }

    private func set(_ color: Color) { cairo_set_source_rgba(context, color.red, color.green, color.blue, color.alpha) }

    private final class PNGSink { var bytes: [UInt8] = [] }
}

extension Canvas {
    /// A picture, bytes (rows, columns, 3), resized.
    static func resized(_ rgb: [UInt8], rows: Int, columns: Int, to newRows: Int, _ newColumns: Int) throws -> [UInt8] {
        if newRows == rows, newColumns == columns { return rgb }
        let canvas = try Canvas(width: newColumns, height: newRows)
        canvas.draw(rgb: rgb, rows: rows, columns: columns, x: 0, y: 0, width: Double(newColumns), height: Double(newRows))
        return canvas.rgb
    }
}

/// Measures text without a picture.
struct TextMeasure {
    let canvas = try? Canvas(width: 1, height: 1)

    func width(_ text: String, _ size: Double, isBold: Bool = false) -> Double {
        text.isEmpty ? 0 : canvas?.textWidth(text, size: size, isBold: isBold) ?? size * 0.7 * Double(text.count)
    }

    /// `text` in lines no wider than `room`, broken at spaces, and within words that are wider.
    func lines(_ text: String, _ size: Double, isBold: Bool = false, within room: Double) -> [String] {
        var lines: [String] = []
        var line = ""
        func fits(_ text: String) -> Bool { width(text, size, isBold: isBold) <= room }
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let longer = line.isEmpty ? String(word) : line + " " + word
            if fits(longer) {
                line = longer
                continue
            }
            if !line.isEmpty { lines.append(line) }
            line = ""
            for character in word {
                if !line.isEmpty, !fits(line + String(character)) {
                    lines.append(line)
                    line = ""
                }
                line.append(character)
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }
}
