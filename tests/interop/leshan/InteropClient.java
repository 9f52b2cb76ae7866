import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Scanner;

import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.dtls.cipher.CipherSuite;
import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.LeshanClientBuilder;
import org.eclipse.leshan.client.engine.DefaultRegistrationEngineFactory;
import org.eclipse.leshan.client.object.Device;
import org.eclipse.leshan.client.object.Security;
import org.eclipse.leshan.client.object.Server;
import org.eclipse.leshan.client.observer.LwM2mClientObserverAdapter;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.ResponseCode;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.DeregisterRequest;
import org.eclipse.leshan.core.request.RegisterRequest;
import org.eclipse.leshan.core.request.UpdateRequest;
import org.eclipse.leshan.transport.californium.client.endpoint.CaliforniumClientEndpointsProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coap.CoapClientProtocolProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coaps.CoapsClientProtocolProvider;

/**
 * A device made of Eclipse Leshan's client library, driven by flags and by words on standard input (update, stop).
 * It prints one line per event, which the interop tests wait for.
 */
public class InteropClient {

    static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    static byte[] hex(String text) {
        byte[] bytes = new byte[text.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(text.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }

    static String option(List<String> args, String name) {
        int at = args.indexOf(name);
        return at < 0 ? null : args.get(at + 1);
    }

    public static void main(String[] argv) throws Exception {
        List<String> args = Arrays.asList(argv);
        String endpoint = option(args, "-n");
        String uri = option(args, "-u");
        String identity = option(args, "-i");
        String key = option(args, "-p");
        String lifetime = option(args, "-l");
        String cid = option(args, "-cid");
        boolean bootstrap = args.contains("-b");

        ObjectsInitializer objects = new ObjectsInitializer();
        if (bootstrap) {
            objects.setInstancesForObject(0, identity == null ? Security.noSecBootstrap(uri)
                    : Security.pskBootstrap(uri, identity.getBytes(), hex(key)));
            objects.setClassForObject(1, Server.class);
        } else {
            objects.setInstancesForObject(0, identity == null ? Security.noSec(uri, 123)
                    : Security.psk(uri, 123, identity.getBytes(), hex(key)));
            objects.setInstancesForObject(1, new Server(123, lifetime == null ? 300 : Long.parseLong(lifetime)));
        }
        objects.setInstancesForObject(3, new Device("Eclipse Leshan", "interop", "LESHAN-1", EnumSet.of(BindingMode.U)));

        CaliforniumClientEndpointsProvider.Builder transport = new CaliforniumClientEndpointsProvider.Builder(
                new CoapClientProtocolProvider(), new CoapsClientProtocolProvider());
        Configuration configuration = transport.createDefaultConfiguration();
        configuration.set(DtlsConfig.DTLS_RECOMMENDED_CIPHER_SUITES_ONLY, false);
        configuration.set(DtlsConfig.DTLS_CIPHER_SUITES, Arrays.asList(CipherSuite.TLS_PSK_WITH_AES_128_CCM_8));
        if ("off".equals(cid)) {
            configuration.set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, null);
        } else if (cid != null) {
            configuration.set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, "on".equals(cid) ? 0 : Integer.parseInt(cid));
        }
        transport.setConfiguration(configuration);

        DefaultRegistrationEngineFactory engine = new DefaultRegistrationEngineFactory();
        engine.setRequestTimeoutInMs(20000);
        engine.setQueueMode(args.contains("-q"));

        LeshanClientBuilder builder = new LeshanClientBuilder(endpoint);
        builder.setObjects(objects.createAll());
        builder.setEndpointsProviders(transport.build());
        builder.setRegistrationEngineFactory(engine);
        LeshanClient client = builder.build();
        client.addObserver(new LwM2mClientObserverAdapter() {
            @Override
            public void onBootstrapSuccess(LwM2mServer server, BootstrapRequest request) {
                say("BOOTSTRAPPED");
            }

            @Override
            public void onBootstrapFailure(LwM2mServer server, BootstrapRequest request, ResponseCode code, String text,
                    Exception cause) {
                say("BOOTSTRAP-FAILED " + code + " " + text + " " + cause);
            }

            @Override
            public void onBootstrapTimeout(LwM2mServer server, BootstrapRequest request) {
                say("BOOTSTRAP-TIMEOUT");
            }

            @Override
            public void onRegistrationSuccess(LwM2mServer server, RegisterRequest request, String id) {
                say("REGISTERED " + id);
            }

            @Override
            public void onRegistrationFailure(LwM2mServer server, RegisterRequest request, ResponseCode code, String text,
                    Exception cause) {
                say("REGISTER-FAILED " + code + " " + text + " " + cause);
            }

            @Override
            public void onRegistrationTimeout(LwM2mServer server, RegisterRequest request) {
                say("REGISTER-TIMEOUT");
            }

            @Override
            public void onUpdateSuccess(LwM2mServer server, UpdateRequest request) {
                say("UPDATED");
            }

            @Override
            public void onUpdateFailure(LwM2mServer server, UpdateRequest request, ResponseCode code, String text,
                    Exception cause) {
                say("UPDATE-FAILED " + code);
            }

            @Override
            public void onDeregistrationSuccess(LwM2mServer server, DeregisterRequest request) {
                say("DEREGISTERED");
            }

            @Override
            public void onUnexpectedError(Throwable error) {
                say("ERROR " + error);
            }
        });
        client.start();
        say("STARTED");
        Scanner words = new Scanner(System.in);
        while (words.hasNext()) {
            String word = words.next();
            if (word.equals("update")) {
                client.triggerRegistrationUpdate();
            } else if (word.equals("stop")) {
                break;
            }
        }
        client.destroy(true);
        System.exit(0);
    }
}
