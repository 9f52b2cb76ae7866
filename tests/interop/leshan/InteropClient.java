import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Scanner;

import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.dtls.cipher.CipherSuite;
import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.LeshanClientBuilder;
import org.eclipse.leshan.client.engine.DefaultRegistrationEngineFactory;
import org.eclipse.leshan.client.object.Device;
import org.eclipse.leshan.client.object.LwM2mTestObject;
import org.eclipse.leshan.client.object.Security;
import org.eclipse.leshan.client.object.Server;
import org.eclipse.leshan.client.observer.LwM2mClientObserverAdapter;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.ResponseCode;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.StaticModel;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.DeregisterRequest;
import org.eclipse.leshan.core.request.RegisterRequest;
import org.eclipse.leshan.core.request.UpdateRequest;
import org.eclipse.leshan.core.response.SendResponse;
import org.eclipse.leshan.transport.californium.client.endpoint.CaliforniumClientEndpointsProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coap.CoapClientProtocolProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coaps.CoapsClientProtocolProvider;

/**
 * A device made of Eclipse Leshan's client library, driven by flags and by lines on standard input: "update",
 * "set 130 21.5" (a number of the test object /3442/0 changes by itself), "send /3442/0/130 /3/0/2", "stop".
 * It prints one line per event, which the interop tests wait for.
 */
public class InteropClient {

    /** OMA's test object, with every type of data, whose values can also change by themselves. */
    public static class TestObject extends LwM2mTestObject {
        void change(int resource, Object value) {
            fireResourcesChange(applyValues(Map.of(resource, value)));
        }
    }

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

    static void send(LeshanClient client, List<String> paths) throws InterruptedException {
        LwM2mServer server = client.getRegisteredServers().values().iterator().next();
        SendResponse answer = client.getSendService().sendData(server, ContentFormat.SENML_CBOR, paths, 10000);
        say("SENT " + (answer == null ? "unanswered" : answer.getCode()));
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

        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadDefault());
        models.addAll(ObjectLoader.loadDdfResources("/models/", new String[] { "3442.xml" }));
        ObjectsInitializer objects = new ObjectsInitializer(new StaticModel(models));
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
        TestObject test = new TestObject();
        objects.setClassForObject(3442, TestObject.class);
        objects.setInstancesForObject(3442, test);

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
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            List<String> words = Arrays.asList(lines.nextLine().split(" "));
            if (words.get(0).equals("update")) {
                client.triggerRegistrationUpdate();
            } else if (words.get(0).equals("set")) {
                test.change(Integer.parseInt(words.get(1)), Double.valueOf(words.get(2)));
            } else if (words.get(0).equals("send")) {
                send(client, words.subList(1, words.size()));
            } else if (words.get(0).equals("stop")) {
                break;
            }
        }
        client.destroy(true);
        System.exit(0);
    }
}
