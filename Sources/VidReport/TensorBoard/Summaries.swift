import FoundationEssentials
import VidTensor

/// Values for TensorBoard's dashboards, each with a tag: scalars as plain floats, which `EventAccumulator.Scalars` reads, too; the others
/// as tensors (tensorboard/plugins/{histogram,image,text}/summary_v2.py).
enum Summaries {
    static func scalar(_ tag: String, _ value: Double) -> TBSummary.Value {
        var summary = summary(tag, plugin: "scalars", .scalar)
        summary.simpleValue = Float(value)
        return summary
    }

    /// (bins, 3) doubles: the bounds and the count of each bin.
    static func histogram(_ tag: String, _ histogram: ValueHistogram) -> TBSummary.Value {
        let bins = histogram.bins
        var summary = summary(tag, plugin: "histograms", .tensor)
        summary.tensor.dtype = .dtDouble
        summary.tensor.tensorShape.dim = [dim(bins.count), dim(3)]
        summary.tensor.doubleVal = bins.flatMap { [$0.low, $0.high, Double($0.count)] }
        return summary
    }

    /// Three strings: the width and the height in decimal digits, then the PNG.
    static func image(_ tag: String, _ canvas: Canvas) throws -> TBSummary.Value {
        var summary = summary(tag, plugin: "images", .blobSequence)
        summary.tensor.dtype = .dtString
        summary.tensor.tensorShape.dim = [dim(3)]
        summary.tensor.stringVal = [
            Data("\(canvas.width)".utf8), Data("\(canvas.height)".utf8), Data(try canvas.png()),
        ]
        return summary
    }

    /// Markdown: one string, a tensor without dimensions.
    static func text(_ tag: String, markdown: String) -> TBSummary.Value {
        var summary = summary(tag, plugin: "text", .tensor)
        summary.tensor.dtype = .dtString
        summary.tensor.tensorShape = TBTensorShapeProto()
        summary.tensor.stringVal = [Data(markdown.utf8)]
        return summary
    }

    /// `code` as a Markdown code block, whatever it contains.
    static func codeBlock(_ code: String, language: String = "") -> String {
        let longest = code.split { $0 != "`" }.map(\.count).max() ?? 0
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return fence + language + "\n" + code + (code.hasSuffix("\n") ? "" : "\n") + fence
    }

    private static func summary(_ tag: String, plugin: String, _ dataClass: TBDataClass) -> TBSummary.Value {
        var value = TBSummary.Value()
        value.tag = tag
        value.metadata.pluginData.pluginName = plugin
        value.metadata.dataClass = dataClass
        return value
    }

    private static func dim(_ size: Int) -> TBTensorShapeProto.Dim {
        var dim = TBTensorShapeProto.Dim()
        dim.size = Int64(size)
        return dim
    }
}
