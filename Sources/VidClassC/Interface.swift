public import CVidClass
import Glibc
import VidClassKit

// The functions of vidclass.h, which documents them.

private let version = VidClass.version.withCString { UInt(bitPattern: strdup($0)) }

@_cdecl("vidclass_abi_version") public func abiVersion() -> CInt { VIDCLASS_ABI_VERSION }

@_cdecl("vidclass_version") public func libraryVersion() -> UnsafePointer<CChar>? { UnsafePointer(bitPattern: version) }

@_cdecl("vidclass_error_text") public func errorText() -> UnsafePointer<CChar>? { vc_error_text() }

@_cdecl("vidclass_set_program") public func setProgram(_ path: UnsafePointer<CChar>?) -> CInt {
    call { VidClass.program = path.map { String(cString: $0) } }
}

@_cdecl("vidclass_load") public func load(
    _ path: UnsafePointer<CChar>?, _ threads: CInt, _ model: UnsafeMutablePointer<OpaquePointer?>?
) -> CInt {
    model?.pointee = nil
    return call {
        let model = try required(model, "model", "a place for the model")
        let path = String(cString: try required(path, "path", "the path of a model"))
        Models.begin()
        let predictor = try Predictor(Checkpoint(path), threads: threads == 0 ? nil : Int(threads))
        model.pointee = Models.add(try LoadedModel(predictor))
    }
}

@_cdecl("vidclass_free") public func freeModel(_ handle: OpaquePointer?) { _ = Models.remove(handle) }

@_cdecl("vidclass_class_count") public func classCount(_ handle: OpaquePointer?) -> Int {
    Models.find(handle)?.predictor.checkpoint.classes.count ?? 0
}

@_cdecl("vidclass_label") public func label(_ handle: OpaquePointer?, _ index: Int) -> UnsafePointer<CChar>? {
    Models.find(handle)?.label(index)
}

@_cdecl("vidclass_input") public func input(_ handle: OpaquePointer?, _ input: UnsafeMutablePointer<vidclass_frames>?) -> CInt {
    call {
        let model = try model(handle)
        let target = try required(input, "input", "a place for the extents")
        let shape = model.predictor.checkpoint.input
        target.pointee = vidclass_frames(
            frames: shape.frames, channels: shape.channels, rows: shape.rows, columns: shape.columns,
            layout: Int32(VIDCLASS_CHANNELS_FIRST), frames_per_second: 0)
    }
}

@_cdecl("vidclass_predict_bytes") public func predictBytes(
    _ handle: OpaquePointer?, _ values: UnsafePointer<UInt8>?, _ valueCount: Int, _ frames: UnsafePointer<vidclass_frames>?,
    _ scores: UnsafeMutablePointer<Float>?, _ scoreCount: Int
) -> CInt {
    call {
        try predict(handle, values, valueCount, frames, scores, scoreCount) {
            try Frames(copying: $0, shape: $1, layout: $2, framesPerSecond: $3)
        }
    }
}

@_cdecl("vidclass_predict_floats") public func predictFloats(
    _ handle: OpaquePointer?, _ values: UnsafePointer<Float>?, _ valueCount: Int, _ frames: UnsafePointer<vidclass_frames>?,
    _ scores: UnsafeMutablePointer<Float>?, _ scoreCount: Int
) -> CInt {
    call {
        try predict(handle, values, valueCount, frames, scores, scoreCount) {
            try Frames(copying: $0, shape: $1, layout: $2, framesPerSecond: $3)
        }
    }
}

@_cdecl("vidclass_predict_file") public func predictFile(
    _ handle: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ scores: UnsafeMutablePointer<Float>?, _ scoreCount: Int
) -> CInt {
    call {
        let model = try model(handle)
        let path = String(cString: try required(path, "path", "the path of a clip"))
        try writeScores(of: model, to: scores, scoreCount) { try wait { try await model.predictor.predict(file: path) } }
    }
}

private func predict<Value>(
    _ handle: OpaquePointer?, _ values: UnsafePointer<Value>?, _ count: Int, _ frames: UnsafePointer<vidclass_frames>?,
    _ scores: UnsafeMutablePointer<Float>?, _ scoreCount: Int,
    _ copy: (UnsafeBufferPointer<Value>, InputShape, Frames.Layout, Double) throws -> Frames
) throws {
    let model = try model(handle)
    let values = try required(values, "values", "an array of frames")
    let extents = try required(frames, "frames", "the extents of an array").pointee
    guard count >= 0 else { throw VidClassError(.usage, "value_count: \(UInt(bitPattern: count)) is no possible number of values") }
    let layout: Frames.Layout
    switch Int(extents.layout) {
    case Int(VIDCLASS_CHANNELS_FIRST): layout = .channelsFirst
    case Int(VIDCLASS_CHANNELS_LAST): layout = .channelsLast
    default:
        throw VidClassError(
            .usage, "frames.layout: expected VIDCLASS_CHANNELS_FIRST or VIDCLASS_CHANNELS_LAST, found \(extents.layout)")
    }
    let isVectors = model.predictor.checkpoint.input.isVectors && extents.channels == 1 && extents.rows == 1
    let shape =
        isVectors
        ? InputShape(frames: extents.frames, features: extents.columns)
        : InputShape(frames: extents.frames, channels: extents.channels, rows: extents.rows, columns: extents.columns)
    try writeScores(of: model, to: scores, scoreCount) {
        try model.predictor.predict(
            copy(UnsafeBufferPointer(start: values, count: count), shape, layout, Double(extents.frames_per_second)))
    }
}
