// swift-tools-version: 6.2
import PackageDescription

// The house (each target may import those to its left, and VidSystem; Scripts/check_house.py holds the whole table):
//
//   VidSystem <- { COpenBLAS <- CKernels <- VidTensor, VidConfig } <- { VidModel, VidData } <- VidTrain
//   <- { VidCheckpoint <- VidExport, VidReport } <- VidRun <- { vidclass, VidClassKit <- VidClassC }

#if arch(x86_64)
    let fortranLibraries = [":libgfortran.a", ":libquadmath.a"]
#else
    let fortranLibraries = [":libgfortran.a"]
#endif

/// OpenBLAS and LAPACKE are linked statically, so that the program does not need them at run time. What they would need of Fortran's library
/// is never called, and the linker drops it.
let blasLibraries: [LinkerSetting] = ([":liblapacke.a", ":libopenblas.a"] + fortranLibraries + ["m", "pthread"]).map {
    .linkedLibrary($0, .when(platforms: [.linux]))
}

/// The commit that `vidclass --version` names. Scripts/install.sh and Scripts/package.sh give it; without it the version is only a number.
let commit: [CSetting] = Context.environment["VIDCLASS_COMMIT"].map { [.define("VIDCLASS_COMMIT", to: $0)] } ?? []

let strictSwift: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Nothing imports a module of tests: the compiler need not read its sources twice to have it early.
let testSwift = strictSwift + [.unsafeFlags(["-no-emit-module-separately-wmo"])]
/// Tests that leave the computing to the programs and libraries: the optimizer would take longer than it saves.
let quickSwift = testSwift + [.unsafeFlags(["-Onone"])]

/// libvidclass.so: it shows the functions of vidclass.h alone, so that nothing in it meets a namesake of the host's (numpy has an OpenBLAS of
/// its own, too), and stays where it was loaded, because its threads do. It contains Swift's runtime, whose shared version would install
/// handlers of crash signals in the host's process. A product on which other packages depend may not have `unsafeFlags`.
let libraryLinking: [LinkerSetting] =
    [
        .unsafeFlags(
            ["-static-stdlib"]
                + [
                    "-soname=libvidclass.so.1", "--version-script=\(Context.packageDirectory)/Sources/CVidClass/vidclass.map", "-Bsymbolic",
                    "-znodelete",
                ].flatMap { ["-Xlinker", $0] }, .when(platforms: [.linux]))
    ]
    // What the static libraries of Foundation need.
    + ["CoreFoundation", "_FoundationICU", "_FoundationCShims", "_FoundationCollections", "_CFURLSessionInterface", ":libcurl.so.4"].map {
        .linkedLibrary($0, .when(platforms: [.linux]))
    }

let package = Package(
    name: "vidclass",
    products: [
        .executable(name: "vidclass", targets: ["vidclass"]),
        .library(name: "VidClassKit", targets: ["VidClassKit"]),
        // Becomes libvidclass.so by Scripts/library.sh: a product of the program's name cannot be.
        .library(name: "VidClassC", type: .dynamic, targets: ["VidClassC"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.1.0"),
        // Without its traits, which are not needed: SwiftPM hands them to the compiler in another order each time, and then compiles it again.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
    ],
    targets: [
        // C wall
        .target(name: "COpenBLAS", linkerSettings: blasLibraries),
        .target(
            name: "CKernelChoice",
            // kernel_limit.c stands between the kernels and what the processor can do.
            linkerSettings: [.unsafeFlags(["-Xlinker", "--wrap=__cpu_indicator_init"], .when(platforms: [.linux]))]),
        // Linked statically: only its SHA-256 and MD5 are used.
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary(":libcrypto.a", .when(platforms: [.linux]))]),
        .target(name: "CKernels", dependencies: ["COpenBLAS"]),
        .target(name: "CReferenceKernels", dependencies: ["CKernels"]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .target(name: "CLinux", dependencies: ["CSeccomp"]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // Only the program's own module depends on it, so that another commit does not compile the others again.
        .target(name: "CCommit", cSettings: commit),
        .target(name: "CClusterPlugin", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        // Libraries that are loaded when they are first needed, and not linked: only their headers are used here.
        .target(name: "CLazyLibrary", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .target(name: "CHDF5", dependencies: ["CLazyLibrary"]),
        .target(name: "CMedia", dependencies: ["CLazyLibrary"]),
        .target(name: "CCairo", dependencies: ["CLazyLibrary"]),
        .target(name: "CCurl", dependencies: ["CLazyLibrary"]),

        // Swift
        .target(
            name: "VidSystem", dependencies: ["CLinux", "COpenSSL", .product(name: "Subprocess", package: "swift-subprocess")],
            swiftSettings: strictSwift),
        .target(
            name: "VidTensor",
            dependencies: ["VidSystem", "COpenBLAS", "CKernels", .product(name: "RealModule", package: "swift-numerics")],
            swiftSettings: strictSwift),
        .target(name: "VidCluster", dependencies: ["VidSystem", "VidTensor", "CClusterPlugin"], swiftSettings: strictSwift),
        .target(name: "VidConfig", dependencies: ["VidSystem"], swiftSettings: strictSwift),
        .target(
            name: "VidModel",
            dependencies: ["VidSystem", "VidTensor", "VidConfig", .product(name: "RealModule", package: "swift-numerics")],
            swiftSettings: strictSwift),
        .target(
            name: "VidData",
            dependencies: [
                "VidSystem", "VidTensor", "VidConfig", "CZlib", "CMedia",
                .product(name: "RealModule", package: "swift-numerics"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: strictSwift),
        .target(
            name: "VidTrain",
            dependencies: [
                "VidSystem", "VidTensor", "VidConfig", "VidModel", "VidData", "VidCluster",
                .product(name: "RealModule", package: "swift-numerics"),
            ],
            swiftSettings: strictSwift),
        .target(
            name: "VidCheckpoint",
            dependencies: [
                "VidSystem", "VidTensor", "VidConfig", "VidModel", "VidData", "VidTrain", "CHDF5", "CCurl",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Formats/ONNX/Protos"],
            swiftSettings: strictSwift),
        .target(
            name: "VidExport",
            dependencies: [
                "VidSystem", "VidTensor", "VidConfig", "VidModel", "VidData", "VidTrain", "VidCheckpoint",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strictSwift),
        .target(
            name: "VidReport",
            dependencies: [
                "VidSystem", "VidTensor", "VidConfig", "VidModel", "VidData", "VidTrain", "CCairo",
                .product(name: "RealModule", package: "swift-numerics"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["TensorBoard/Protos"],
            swiftSettings: strictSwift),
        .target(
            name: "VidRun",
            dependencies: [
                "VidSystem", "VidTensor", "VidConfig", "VidModel", "VidData", "VidCluster", "VidTrain", "VidCheckpoint", "VidExport",
                "VidReport",
                .product(name: "RealModule", package: "swift-numerics"),
            ],
            swiftSettings: strictSwift),
        .executableTarget(
            name: "vidclass",
            dependencies: [
                "VidSystem", "VidTensor", "VidConfig", "VidModel", "VidData", "VidCluster", "VidTrain", "VidCheckpoint", "VidExport",
                "VidReport", "VidRun", "CKernelChoice", "CCommit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strictSwift),
        .target(
            name: "VidClassKit",
            dependencies: [
                "VidSystem", "VidTensor", "VidConfig", "VidData", "VidTrain", "VidCheckpoint", "VidReport", "VidRun",
            ],
            swiftSettings: strictSwift),
        .target(name: "CVidClass", exclude: ["vidclass.map"]),
        .target(
            name: "VidClassC", dependencies: ["VidClassKit", "CVidClass"], swiftSettings: strictSwift, linkerSettings: libraryLinking),

        // Tests
        // The sources of the example package, so that the tests build them with what is built anyway.
        .executableTarget(
            name: "KitExample", dependencies: ["VidClassKit"], path: "Examples/swift/Sources/Moves", swiftSettings: strictSwift),
        .target(
            name: "VidTestSupport",
            dependencies: ["VidSystem", "VidTensor", "VidConfig", "VidModel", "VidCluster", "VidCheckpoint", "CKernelChoice"],
            swiftSettings: strictSwift),
        .testTarget(name: "VidSystemTests", dependencies: ["VidSystem", "VidTestSupport"], swiftSettings: quickSwift),
        .testTarget(
            name: "VidTensorTests", dependencies: ["VidSystem", "VidTensor", "VidTestSupport", "CKernels", "CReferenceKernels"],
            resources: [.copy("Goldens")], swiftSettings: testSwift),
        .testTarget(
            name: "VidClusterTests", dependencies: ["VidSystem", "VidTensor", "VidCluster", "VidTestSupport"], swiftSettings: quickSwift),
        .testTarget(name: "VidConfigTests", dependencies: ["VidSystem", "VidConfig", "VidTestSupport"], swiftSettings: quickSwift),
        .testTarget(
            name: "VidModelTests", dependencies: ["VidSystem", "VidModel", "VidTestSupport", "VidCheckpoint"],
            resources: [.copy("Goldens")],
            swiftSettings: testSwift),
        .testTarget(
            name: "VidDataTests", dependencies: ["VidSystem", "VidData", "VidTestSupport", "VidConfig"], resources: [.copy("Goldens")],
            swiftSettings: quickSwift),
        .testTarget(
            name: "VidTrainTests",
            dependencies: ["VidSystem", "VidTrain", "VidTestSupport", "VidCluster", "VidConfig", "VidData", "VidModel", "VidTensor"],
            resources: [.copy("Goldens")],
            swiftSettings: testSwift),
        .testTarget(
            name: "VidCheckpointTests",
            dependencies: ["VidSystem", "VidCheckpoint", "VidData", "VidTestSupport"],
            resources: [.copy("Fixtures")],
            swiftSettings: quickSwift),
        .testTarget(
            name: "VidExportTests",
            dependencies: [
                "VidSystem", "VidExport", "VidTestSupport", "VidTensor", "VidConfig", "VidModel", "VidCheckpoint",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ], swiftSettings: quickSwift),
        .testTarget(
            name: "VidReportTests", dependencies: ["VidSystem", "VidReport", "VidTestSupport", "VidConfig"], resources: [.copy("Goldens")],
            swiftSettings: quickSwift),
        .testTarget(
            name: "VidRunTests",
            dependencies: [
                "VidSystem", "VidRun", "VidTestSupport", "VidCluster", "VidConfig", "VidData", "VidTensor", "VidTrain", "VidCheckpoint",
            ],
            swiftSettings: quickSwift),
        .testTarget(
            name: "VidClassKitTests", dependencies: ["VidClassKit", "VidTestSupport", "vidclass"],
            swiftSettings: quickSwift),
        .testTarget(
            name: "CommandTests",
            dependencies: ["VidSystem", "vidclass", "KitExample", "VidTestSupport", "VidTensor", "VidData", "VidCheckpoint"],
            exclude: ["C"], resources: [.copy("Fixtures")], swiftSettings: quickSwift),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)

// Coverage-guided fuzzing of the parsers (maintain.fuzz); libFuzzer brings the program's main.
if Context.environment["VIDCLASS_FUZZ_BUILD"] != nil {
    package.targets.append(
        .executableTarget(
            name: "VidFuzz",
            dependencies: [
                "VidSystem", "VidTensor", "VidConfig", "VidData", "VidCheckpoint", "CKernelChoice",
            ],
            swiftSettings: strictSwift + [.unsafeFlags(["-parse-as-library"])]))
}
