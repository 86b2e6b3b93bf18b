import CCairo
import VidSystem
import VidTensor

/// A picture that is drawn on and written as PNG: pixels, rectangles and text, by cairo.
///
/// Coordinates are pixels from the upper left corner, x to the right, y down.
package final class Canvas {
    package let width: Int
    package let height: Int
    private let surface: OpaquePointer
    private let context: OpaquePointer

    /// A colour, each part 0 to 1.
    package struct Color: Sendable, Equatable {
        package var red: Double
        package var green: Double
        package var blue: Double
        package var alpha: Double

        package init(_ red: Double, _ green: Double, _ blue: Double, alpha: Double = 1) {
            self.red = red
            self.green = green
            self.blue = blue
            self.alpha = alpha
        }

        package static let black = Color(0, 0, 0)
        package static let white = Color(1, 1, 1)
    }

    /// Where a text stands beside its point.
    package enum Anchor: Sendable { case leading, middle, trailing }

    /// The most pixels a side may have: cairo's own bound.
    package static let largestSide = 32767

    /// - Parameters: sides in pixels, from 1 to ``largestSide``.
    package init(width: Int, height: Int, background: Color = .white) throws {
        guard (1...Canvas.largestSide).contains(width), (1...Canvas.largestSide).contains(height),
            let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height)),
            let context = cairo_create(surface)
        else {
            throw VidclassError(
                .other, "a picture of \(width) x \(height) pixels cannot be drawn; sides go from 1 to \(Canvas.largestSide)")
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

    /// Lays an image, bytes (rows, columns, 3) of red, green, blue, over a rectangle of its own proportions or others.
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
    package func text(
        _ text: String, x: Double, y: Double, size: Double, _ color: Color = .black, anchor: Anchor = .leading, isBold: Bool = false
    ) {
        let width = textWidth(text, size: size, isBold: isBold)
        let start =
            switch anchor {
            case .leading: x
            case .middle: x - width / 2
            case .trailing: x - width
            }
        set(color)
        cairo_move_to(context, start, y)
        cairo_show_text(context, text)
    }

    /// Writes a line of text that reads upwards from (x, y), its baseline at x.
    package func uprightText(_ text: String, x: Double, y: Double, size: Double, _ color: Color = .black) {
        cairo_save(context)
        cairo_translate(context, x, y)
        cairo_rotate(context, -Double.pi / 2)
        self.text(text, x: 0, y: 0, size: size, color)
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
            throw VidclassError(.other, "a picture could not be made: \(String(cString: cairo_status_to_string(status)))")
        }
        return withExtendedLifetime(sink) { sink.bytes }
    }

    private func set(_ color: Color) { cairo_set_source_rgba(context, color.red, color.green, color.blue, color.alpha) }

    private final class PNGSink { var bytes: [UInt8] = [] }
}
